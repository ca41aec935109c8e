import { localTime } from "../clock.ts";
import { oneLine } from "../errors.ts";
import type { Reading, Source } from "../sources/source.ts";

/** One reading of a source; what it throws is an error of the reading. */
export async function readOnce(source: Source, wait_ms: number): Promise<Reading> {
  try {
    return await readCycle(source, wait_ms);
  } finally {
    source.close?.();
  }
}

/** As the sampler asks a source in one cycle. */
export async function readCycle(source: Source, wait_ms: number): Promise<Reading> {
  const t_ms = Date.now();
  const signal = AbortSignal.timeout(wait_ms);
  try {
    return await source.read({ t_ms, time: localTime(t_ms), monotonic_ms: performance.now(), wait_ms, signal });
  } catch (error) {
    return { errors: [`${source.name}: ${oneLine(error)}`] };
  }
}
