import type { Cycle } from "../../source.ts";
import type { NvidiaReading } from "./card.ts";

/** By which NVIDIA's cards are read: the driver's library in a helper process, or nvidia-smi. */
export interface NvidiaWay {
  /**
   * What it reads in this cycle, before the cycle closes. `null`: what this way needs is not on this machine, and the
   * next way is tried. Rejects with a sentence for people where nothing can be read now, as `driver hung, pid 123`: the
   * known cards keep their rows, with everything unknown. Whatever it waits for it goes on waiting for in the next call.
   */
  read(cycle: Cycle): Promise<NvidiaReading | null>;
  /** Ends its processes, and waits for none. */
  close(): void;
}

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
