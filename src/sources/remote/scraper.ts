import type { SectionName } from "../../frame/schema.ts";
import type { Cycle } from "../source.ts";
import { Answer } from "./answer.ts";
import { Body } from "./body.ts";
import type { History, PageContext, Told } from "./dialects/dialect.ts";
import { Effort } from "./effort.ts";
import type { HttpClient } from "./http_client.ts";
import { ELSEWHERE } from "./page.ts";
import { type Kept, keepSmall } from "./small.ts";
import type { Wanted } from "./snapshot.ts";
import type { Endpoint } from "./target.ts";

/** What one endpoint gave in a cycle. */
export type Outcome =
  | { readonly told: Told; readonly latency_ms: number; readonly error: null }
  | { readonly told: null; readonly latency_ms: null; readonly error: string };

export interface ScrapeOptions extends Wanted, Kept {
  /** Bytes of JSON that a frame keeps of this host at most, whatever it sent. */
  readonly most_kept: number;
}

/** Where to ask: our own API's frame holds more and costs less than its page of metrics. */
type Way = "/snapshot" | "/metrics";

/** What a device takes of which hardly anything is known. */
const DEVICE_BYTES = 2048;

/** Of a host that has had its share of this process's time. */
const TOO_MUCH = "too much to read";

/** A refusal or a status costs next to nothing: such a host is asked again every cycle, and is back at once. */
const CHEAP = /^(?:connection refused|connection closed|HTTP \d+|redirected)$/;
const PATIENT_FAILURES = 3;
/** Whoever hangs keeps a cycle open until its end: the others' frames are to come early in between. */
const PAUSE_MS = 2000;

/** Of a server that has nothing of use under a path: a frame with all of many thousand processes is none. */
const NOTHING_THERE = /^(?:HTTP 4\d\d|redirected|too large)$/;

interface Attempt {
  readonly outcome: Outcome;
  /** A server is there, but what is wanted is not under this path. */
  readonly isElsewhere: boolean;
}

const NOTHING_TOLD: Told = { sections: {}, hostname: null };

const failed = (error: string): Outcome => ({ told: null, latency_ms: null, error });

/** One endpoint, and what was learnt of it: which way works, what its last page said, whether it is worth the time. */
export class Scraper {
  readonly endpoint: Endpoint;
  readonly #client: HttpClient;
  readonly #options: ScrapeOptions;
  readonly #history: History = {};
  readonly #snapshotPath: string;
  readonly #body = new Body();
  readonly #effort = new Effort();
  #way: Way | null = null;
  #moment: string | null = null;
  #failures = 0;
  #asked_ms = 0;
  #last: Outcome = failed("not asked yet");
  /** The sections that it has ever had devices in; `null` before it first answered. */
  #provides: ReadonlySet<SectionName> | null = null;

  constructor(endpoint: Endpoint, client: HttpClient, options: ScrapeOptions) {
    this.endpoint = endpoint;
    this.#client = client;
    this.#options = options;
    this.#snapshotPath = `/snapshot?include=${options.include.join(",")}&without=${options.without.join(",")}`;
  }

  get last(): Outcome {
    return this.#last;
  }

  /** The frame has what was told: until the next is told, a hundred hosts take 30 MB that nobody needs. */
  forget(): void {
    if (this.#last.told !== null) this.#last = { ...this.#last, told: NOTHING_TOLD };
  }

  get provides(): ReadonlySet<SectionName> | null {
    return this.#provides;
  }

  /** Whoever answered last time is asked first. */
  get isWell(): boolean {
    return this.#failures === 0;
  }

  /** When it was last asked, by the cycle's monotonic clock; 0 before that. */
  get asked_ms(): number {
    return this.#asked_ms;
  }

  /** Never rejects; once the signal is aborted it ends at once. */
  async scrape(cycle: Cycle, signal: AbortSignal): Promise<void> {
    if (this.#isCostly && cycle.monotonic_ms < this.#asked_ms + PAUSE_MS) return;
    this.#asked_ms = cycle.monotonic_ms;
    this.#effort.renew();
    this.#last = this.#effort.isSpent ? failed(TOO_MUCH) : await this.#ask(cycle, signal);
    if (this.#last.told !== null) this.#succeed(this.#last.told);
    else this.#fail();
  }

  /** The cycle was over before its turn came: that is no failure of its own. */
  miss(): void {
    this.#last = failed("timeout");
  }

  #succeed(told: Told): void {
    this.#failures = 0;
    const filled = Object.entries(told.sections).flatMap(([name, devices]) => (devices.length > 0 ? [name] : []));
    const known = this.#provides;
    if (known !== null && filled.every((name) => known.has(name as SectionName))) return;
    this.#provides = new Set([...(known ?? []), ...(filled as SectionName[])]);
  }

  #fail(): void {
    this.#failures++;
    this.#way = null;
  }

  get #isCostly(): boolean {
    return this.#failures >= PATIENT_FAILURES && !CHEAP.test(this.#last.error ?? "");
  }

  async #ask(cycle: Cycle, signal: AbortSignal): Promise<Outcome> {
    const { path } = this.endpoint;
    if (path !== null) return (await this.#get(path, cycle, signal)).outcome;
    if (this.#way !== "/metrics") {
      const { outcome, isElsewhere } = await this.#get(this.#snapshotPath, cycle, signal);
      if (!isElsewhere) return outcome;
    }
    return (await this.#get("/metrics", cycle, signal)).outcome;
  }

  async #get(path: string, cycle: Cycle, signal: AbortSignal): Promise<Attempt> {
    const from = performance.now();
    let answer = new Answer(this.#body, this.#effort);
    const open = () => {
      answer = new Answer(this.#body, this.#effort);
      return answer.sink;
    };
    const end = await this.#client.get(this.endpoint, path, open, signal);
    if (end.error !== null)
      return { outcome: failed(end.error), isElsewhere: end.isAnswer && NOTHING_THERE.test(end.error) };
    const latency_ms = performance.now() - from;
    const attempt = this.#effort.spend(() => this.#understand(answer, cycle, latency_ms));
    return this.#effort.isSpent ? { outcome: failed(TOO_MUCH), isElsewhere: false } : attempt;
  }

  #understand(answer: Answer, cycle: Cycle, latency_ms: number): Attempt {
    const { perCore } = this.#options;
    const context: PageContext = { ...cycle, history: this.#history, perCore };
    const understood = answer.understand(context, this.#options);
    if (typeof understood === "string") {
      return { outcome: failed(understood), isElsewhere: ELSEWHERE.includes(understood) };
    }
    const { told, moment } = understood;
    const kept = keepSmall(told, this.#options);
    const devices = Object.values(kept.sections).reduce((sum, list) => sum + list.length, 0);
    const { most_kept } = this.#options;
    if (answer.bytes + DEVICE_BYTES * devices > most_kept && JSON.stringify(kept).length > most_kept) {
      return { outcome: failed("too large"), isElsewhere: false };
    }
    this.#way = moment === null ? "/metrics" : "/snapshot";
    const isNew = moment === null || moment !== this.#moment;
    this.#moment = moment;
    const outcome = {
      told: isNew ? kept : { ...kept, events: [] },
      latency_ms: Math.round(latency_ms * 10) / 10,
      error: null,
    };
    return { outcome, isElsewhere: false };
  }
}
