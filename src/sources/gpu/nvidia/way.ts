import type { Cycle } from "../../source.ts";
import type { NvidiaReading } from "./card.ts";

/** How a call of the driver's library ended the process that made it. */
export type Fault = "crashed" | "hung";

/** What is not asked any more, as it crashes or hangs the driver's library. */
export interface GivenUp {
  readonly fault: Fault;
  /** Its functions, as `nvmlDeviceGetPowerUsage`. */
  readonly functions: readonly string[];
  /** For which it happened: its UUID, or `GPU 3` where that could not be read; `null`: for none. */
  readonly card: string | null;
  /** What people call that card: `GPU 3`, or a MIG instance of it, `GPU 3 MIG 0`; `null`: not known. */
  readonly place: string | null;
  /** The call for that card, the call for all cards, that for all MIG instances, or that card altogether. */
  readonly extent: "call" | "all cards" | "all instances" | "card";
}

/** A process of ours is stuck in the driver and outlives SIGKILL: as long as it does, no other is started. */
export class DriverHung extends Error {
  readonly pid: number;

  constructor(pid: number) {
    super(`driver hung, pid ${pid}`);
    this.name = "DriverHung";
    this.pid = pid;
  }
}

/** By which NVIDIA's cards are read: the driver's library in a helper process, or nvidia-smi. */
export interface NvidiaWay {
  /**
   * What it reads in this cycle, before the cycle closes. `null`: what this way needs is not on this machine, and the
   * next way is tried. Rejects with a sentence for people where nothing can be read now, as `driver hung, pid 123`: the
   * known cards keep their rows, with everything unknown. Whatever it waits for it goes on waiting for in the next call.
   */
  read(cycle: Cycle): Promise<NvidiaReading | null>;
  /** Why it leads to nothing though the user named what it is to read by: whatever the next way reads is told with it. */
  readonly unmet?: string | null;
  /** What has been given up since this was called last; a way that gives nothing up has it not. */
  takeGivenUp?(): readonly GivenUp[];
  /** Ends its processes, and waits for none. */
  close(): void;
}

/** What is read of a machine without cards. */
export const NOTHING: NvidiaReading = { cards: [], processes: [], xids: [], errors: [] };

/** A machine without cards is looked at again after this; a driver is seldom installed. */
export const LOOK_AGAIN_MS = 600_000;

/** Of a cycle, the time after which a way says that it could not read; the rest is for the rows and whoever needs them. */
const SHARE = 0.9;

/** What `reading` gives before the cycle closes; after most of that time, rejects with what `late` says. */
export async function withinCycle<T>(cycle: Cycle, reading: Promise<T>, late: () => string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(late())), cycle.wait_ms * SHARE);
  try {
    return await Promise.race([reading, promise]);
  } finally {
    clearTimeout(timer);
  }
}
