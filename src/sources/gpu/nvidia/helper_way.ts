import { join } from "node:path";
import type { Cycle } from "../../source.ts";
import { type ChildOptions, SupervisedChild } from "../child.ts";
import { NOT_ASKED, type NvidiaCard, type NvidiaReading, type Xid } from "./card.ts";
import { faultOf, hung, sentenceOf } from "./faults.ts";
import { callLimit_ms, INITIALIZATION_MS, limitsIn } from "./limits.ts";
import { type Answer, applyChanges, type Calling, type HelperMessage, type Unavailable } from "./nvml/messages.ts";
import { Suspects } from "./suspects.ts";
import { DriverHung, type Fault, type GivenUp, LOOK_AGAIN_MS, NOTHING, type NvidiaWay, withinCycle } from "./way.ts";

export interface HelperOptions {
  /** What is run; the helper process of this program where it is not given. */
  readonly command?: readonly string[];
  /** Whether the user named the library to be used. */
  readonly isLibraryNamed: boolean;
  /** Whether the machine has a card of NVIDIA's or its driver, as far as can be seen without asking: it is an error then that nothing can be read. */
  readonly isExpected: () => boolean;
  /** Whether something else can be asked where the library that the user named cannot be loaded. */
  readonly hasStandIn: () => boolean;
}

/** How the helper is run. Obeys no settings of the folder one stands in, as the launcher does not. */
export const HELPER: readonly string[] = [
  process.execPath,
  ...["--config=/dev/null", "--no-env-file", "--tsconfig-override=/dev/null", "--no-install"],
  join(import.meta.dirname, "nvml/helper.ts"),
];

const HH_MM_SS = "hh:mm:ss".length;

type Read = Pick<NvidiaReading, "cards" | "processes" | "errors">;

/** Reads by NVML, the driver's library, which runs in a helper process: it may crash, or hang for good. */
export class HelperWay implements NvidiaWay {
  readonly #child: SupervisedChild;
  readonly #options: HelperOptions;
  readonly #suspects = new Suspects();
  #ready = quietly<void>();
  #isReady = false;
  #answer: PromiseWithResolvers<Read> | null = null;
  /** What is under way, over as many cycles as it takes. */
  #reading: Promise<Read> | null = null;
  #request = 0;
  #limits = limitsIn({ wait_ms: 0 });
  #unavailable: Unavailable | null = null;
  #absentUntil_ms = Number.NEGATIVE_INFINITY;
  /** Why the helper does not run. */
  #why = "";
  #unmet: string | null = null;
  #cards: readonly NvidiaCard[] = [];
  #processes: NvidiaReading["processes"] = [];
  #wasRead = false;
  #xids: Xid[] = [];
  #givenUp: GivenUp[] = [];
  /** Why the last helper was lost, until a cycle has said so. */
  #untold: string[] = [];
  /** When the answer that is waited for was asked for, as `14:31:58`. */
  #askedAt = "";

  constructor(options: HelperOptions) {
    this.#options = options;
    const child: ChildOptions = {
      command: options.command ?? HELPER,
      onMessage: (message) => this.#heard(message as HelperMessage),
      onLine: (line) => this.#calls(line),
      onEnd: (why) => this.#ended(why),
    };
    this.#child = new SupervisedChild(child);
  }

  async read(cycle: Cycle): Promise<NvidiaReading | null> {
    if (cycle.monotonic_ms < this.#absentUntil_ms) return NOTHING;
    this.#begin();
    if (!this.#child.isRunning || this.#unavailable !== null) return this.#without(cycle);
    this.#limits = limitsIn(cycle);
    try {
      const { cards, processes, errors } = await withinCycle(cycle, this.#readOn(cycle), () => this.#late());
      return { cards, processes, xids: this.#xids.splice(0), errors: [...this.#untold.splice(0), ...errors] };
    } catch (error) {
      if (this.#unavailable !== null) return this.#without(cycle);
      const [untold] = this.#untold.splice(0);
      throw untold === undefined ? error : new Error(untold);
    }
  }

  get unmet(): string | null {
    return this.#unmet;
  }

  takeGivenUp(): readonly GivenUp[] {
    return this.#givenUp.splice(0);
  }

  close(): void {
    this.#child.close();
  }

  #begin(): void {
    const pid = this.#child.stuckPid;
    if (pid !== null) throw new DriverHung(pid);
    if (!this.#child.isRunning) this.#start();
  }

  #start(): void {
    this.#child.start();
    if (!this.#child.isRunning) return;
    this.#unavailable = null;
    this.#suspects.begin();
    this.#child.expect(INITIALIZATION_MS, `was not initialized within ${INITIALIZATION_MS / 1000} s`);
  }

  /** Where somebody waits, and the helper is lost to a fault, the next one, which knows of it, is asked at once. */
  async #readOn(cycle: Cycle): Promise<Read> {
    for (;;) {
      try {
        this.#reading ??= this.#readThrough(cycle);
        return await this.#reading;
      } catch (error) {
        if (!cycle.isAwaited || cycle.signal.aborted || !this.#child.isRunning) throw error;
      }
    }
  }

  async #readThrough({ time }: Cycle): Promise<Read> {
    this.#askedAt = time.slice(-HH_MM_SS);
    try {
      await this.#ready.promise;
      this.#answer = Promise.withResolvers();
      this.#child.expect(this.#limits.reading_ms, hung(this.#limits.reading_ms));
      this.#child.send(this.#suspects.request(++this.#request));
      return await this.#answer.promise;
    } finally {
      this.#answer = null;
      this.#reading = null;
    }
  }

  /** What there is to say while no helper runs. */
  #without({ monotonic_ms }: Cycle): NvidiaReading | null {
    const { isLibraryNamed, isExpected, hasStandIn } = this.#options;
    const kind = this.#unavailable?.unavailable;
    if (kind === "no_library" && !this.#wasRead && (!isLibraryNamed || hasStandIn())) {
      this.#unmet = isLibraryNamed ? this.#why : null;
      return null;
    }
    if (kind === "no_driver" && !isLibraryNamed && !this.#wasRead && !isExpected()) {
      this.#absentUntil_ms = monotonic_ms + LOOK_AGAIN_MS;
      return NOTHING;
    }
    this.#untold = [];
    const killedFor = this.#unavailable === null ? this.#child.killedFor : null;
    throw new Error(killedFor === null ? this.#why : sentenceOf(killedFor));
  }

  #late(): string {
    if (!this.#isReady) return "the driver is being initialized";
    const { calling } = this.#suspects;
    return `no answer from the driver, asked at ${this.#askedAt}${calling === null ? "" : ` (${calling})`}`;
  }

  #heard(message: HelperMessage): void {
    if ("ready" in message) {
      this.#child.met();
      this.#isReady = true;
      this.#ready.resolve();
    } else if ("answer" in message) {
      if (message.answer === this.#request) this.#answered(message);
    } else {
      this.#unavailable = message;
      this.#suspects.clear();
      this.#child.kill(message.reason);
      this.#lose(message.reason);
    }
  }

  /** A line may come after the answer to the reading that it belongs to. */
  #calls(line: string): void {
    const calling = parseCalling(line);
    if (calling === null || calling.read !== this.#request || this.#answer === null) return;
    this.#suspects.calls(calling);
    const limit_ms = callLimit_ms(calling.calling, !this.#wasRead, this.#limits);
    this.#child.expect(limit_ms, hung(limit_ms));
  }

  #answered({ cards, processes, xids, errors }: Answer): void {
    this.#child.met();
    this.#suspects.answered();
    const whole = applyChanges(this.#cards, cards).map((card) => this.#noted(card));
    this.#processes = processes ?? this.#processes;
    this.#cards = whole;
    this.#wasRead = true;
    this.#xids.push(...xids);
    this.#answer?.resolve({ cards: whole, processes: this.#processes, errors });
  }

  /** With what it is not asked for, so that one sees why a value stays unknown. */
  #noted(card: NvidiaCard): NvidiaCard {
    const { detail } = card.row;
    const words = this.#suspects.notAsked(card.row);
    if (words === null || detail[NOT_ASKED] === words) return card;
    return { ...card, row: { ...card.row, detail: { ...detail, [NOT_ASKED]: words } } };
  }

  #ended(why: string): void {
    if (this.#unavailable !== null) return;
    const isHandled = this.#answer !== null && this.#blame(faultOf(why));
    this.#lose(sentenceOf(why));
    if (!isHandled) return;
    this.#child.forgive();
    this.#start();
  }

  /** Whether something comes of it: the call is not made any more, or, where nobody knows which it was, it is looked for. */
  #blame(fault: Fault | null): boolean {
    if (fault === null) return false;
    const wasCareful = this.#suspects.isCareful;
    const givenUp = this.#suspects.fault(fault);
    if (givenUp !== null) this.#givenUp.push(givenUp);
    return givenUp !== null || !wasCareful;
  }

  /** Nothing comes from this helper any more. */
  #lose(why: string): void {
    const error = new Error(why);
    this.#why = why;
    this.#untold = [why];
    this.#cards = [];
    this.#processes = [];
    this.#isReady = false;
    this.#answer?.reject(error);
    this.#ready.reject(error);
    this.#ready = quietly();
  }
}

/** `null`: the driver's library wrote it. */
function parseCalling(line: string): Calling | null {
  try {
    const said = JSON.parse(line) as Partial<Calling> | null;
    return typeof said?.calling === "string" ? (said as Calling) : null;
  } catch {
    return null;
  }
}

/** Nobody needs to wait for it. */
function quietly<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
