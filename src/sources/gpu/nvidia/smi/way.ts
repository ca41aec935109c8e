import type { Cycle } from "../../../source.ts";
import type { NvidiaReading } from "../card.ts";
import { DriverHung, LOOK_AGAIN_MS, NOTHING, type NvidiaWay, withinCycle } from "../way.ts";
import { BesideReader } from "./beside.ts";
import { NO_DRIVER } from "./complaint.ts";
import { findNvidiaSmi } from "./find.ts";
import { KnownCards, processesOf } from "./known.ts";
import { Pace } from "./pace.ts";
import { NvidiaSmi } from "./program.ts";
import { QueryFinder } from "./queries.ts";
import type { GpuRow, Session } from "./session.ts";
import { Sessions } from "./sessions.ts";

/** While the first round is waited for, it is looked for so often. */
const POLL_MS = 20;
/** Of a cycle, the part that the first rows wait for what stands beside them. */
const BESIDE_SHARE = 0.4;

/**
 * Reads the cards by nvidia-smi, which stands in where the driver's library cannot be loaded. `isExpected`: whether the
 * machine has a card of NVIDIA's or its driver, as far as can be seen without asking.
 */
export const nvidiaSmiWay = (root: string, isExpected: () => boolean): NvidiaWay => new SmiWay(root, isExpected);

class SmiWay implements NvidiaWay {
  readonly #root: string;
  readonly #isExpected: () => boolean;
  #reader: SmiReader | null = null;
  #wasRead = false;
  #absentUntil_ms = Number.NEGATIVE_INFINITY;

  constructor(root: string, isExpected: () => boolean) {
    this.#root = root;
    this.#isExpected = isExpected;
  }

  async read(cycle: Cycle): Promise<NvidiaReading | null> {
    if (cycle.monotonic_ms < this.#absentUntil_ms) return NOTHING;
    const path = this.#reader === null ? findNvidiaSmi() : null;
    if (path !== null) this.#reader = new SmiReader(path, this.#root);
    if (this.#reader === null) return null;
    try {
      const reading = await this.#reader.read(cycle);
      this.#wasRead = true;
      return reading;
    } catch (error) {
      if (!this.#isNoDriverMissed(error)) throw error;
      this.close();
      this.#reader = null;
      this.#absentUntil_ms = cycle.monotonic_ms + LOOK_AGAIN_MS;
      return NOTHING;
    }
  }

  close(): void {
    this.#reader?.close();
  }

  /** Images for CUDA have an nvidia-smi, wherever they run. */
  #isNoDriverMissed(error: unknown): boolean {
    const saysSo = error instanceof Error && error.message === NO_DRIVER;
    return saysSo && !this.#wasRead && !this.#isExpected();
  }
}

class SmiReader {
  readonly #smi: NvidiaSmi;
  readonly #finder: QueryFinder;
  readonly #sessions: Sessions;
  readonly #beside: BesideReader;
  readonly #known = new KnownCards();
  readonly #pace = new Pace();
  #isClosed = false;

  constructor(path: string, root: string) {
    this.#smi = new NvidiaSmi(path);
    this.#finder = new QueryFinder(this.#smi);
    this.#sessions = new Sessions(this.#smi, root);
    this.#beside = new BesideReader(this.#smi);
  }

  read(cycle: Cycle): Promise<NvidiaReading> {
    this.#pace.note(cycle.monotonic_ms);
    return withinCycle(cycle, this.#read(cycle), () => "nvidia-smi has not answered yet");
  }

  close(): void {
    this.#isClosed = true;
    this.#smi.close();
  }

  async #read(cycle: Cycle): Promise<NvidiaReading> {
    const pid = this.#smi.stuckPid;
    if (pid !== null) throw new DriverHung(pid);
    const { rows, session } = await this.#listen(cycle);
    if (rows.length > 0) await this.#besides(rows, session, cycle);
    const { processTrouble } = session;
    return {
      cards: this.#known.cardsOf(rows, this.#sessions.unopened, this.#beside.latest),
      processes: processesOf(session.processes()),
      xids: [],
      errors: processTrouble === null || rows.length === 0 ? [] : [`processes: ${processTrouble}`],
    };
  }

  /** The rows of the cards, as soon as there are any; none, where there are no cards, or none that can be opened. */
  async #listen({ signal }: Cycle): Promise<{ rows: readonly GpuRow[]; session: Session }> {
    while (!signal.aborted && !this.#isClosed) {
      const queries = await this.#finder.find();
      const session = this.#sessions.current(queries, this.#pace.period_ms, this.#known.places);
      const rows = session.gpus();
      if (rows !== null) return { rows, session };
      if (session.hasNoDevices || session.gaveUp) return { rows: [], session };
      if (session.refused.length > 0) this.#leaveOut(session.refused);
      else if (session.trouble !== null) throw new Error(session.trouble);
      await Bun.sleep(POLL_MS);
    }
    throw new Error("too late");
  }

  /** Each session asks for less than the one before, so that there is an end to it. */
  #leaveOut(names: readonly string[]): void {
    this.#finder.leaveOut(names);
    this.#sessions.reset();
  }

  /** Asks for what stands beside the rows; the first rows wait a while for all that belongs to them. */
  async #besides(rows: readonly GpuRow[], session: Session, cycle: Cycle): Promise<void> {
    const end_ms = performance.now() + cycle.wait_ms * BESIDE_SHARE;
    let isAsking = true;
    this.#beside.refresh(rows.some(({ values }) => values.mig_mode === 1)).then(() => {
      isAsking = false;
    });
    if (this.#known.places.length > 0) return;
    while ((isAsking || !session.knowsProcesses) && performance.now() < end_ms) await Bun.sleep(POLL_MS);
  }
}
