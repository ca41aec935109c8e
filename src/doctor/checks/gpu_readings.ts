import type { Gpu } from "../../frame/schema.ts";
import { openGpuSources } from "../../sources/gpu/gpus.ts";
import { GpuRegistry } from "../../sources/gpu/registry.ts";
import type { Reading, Source } from "../../sources/source.ts";
import type { Machine } from "../machine.ts";
import { readCycle } from "../reading.ts";

const host = { host_id: "doctor", hostname: "doctor", instance: "doctor" };
/** Of one reading, as long as the recorder gives its sources. */
const WAIT_MS = 5000;
const PAUSE_MS = 250;

/** What the reader of a vendor's cards, the one that records, says here. */
export interface GpuReading {
  readonly gpus: readonly Gpu[];
  /** Sentences, without the source's name. */
  readonly errors: readonly string[];
}

/**
 * Reads a vendor's cards by the very source that records them, again as long as `isBeginning` and time is left.
 * `null`: this vendor has no source.
 */
export async function readGpus(
  machine: Machine,
  vendor: string,
  isBeginning: (reading: GpuReading) => boolean,
  limit_ms: number,
): Promise<GpuReading | null> {
  const sources = await openGpuSources({ root: machine.root, host, registry: new GpuRegistry() });
  try {
    const source = sources.find(({ name }) => name === vendor);
    return source === undefined ? null : await readUntil(source, isBeginning, performance.now() + limit_ms);
  } finally {
    for (const source of sources) source.close?.();
  }
}

async function readUntil(
  source: Source,
  isBeginning: (reading: GpuReading) => boolean,
  end_ms: number,
): Promise<GpuReading> {
  for (;;) {
    const reading = readingOf(await readCycle(source, Math.min(WAIT_MS, Math.max(0, end_ms - performance.now()))));
    if (!isBeginning(reading) || performance.now() + PAUSE_MS >= end_ms) return reading;
    await Bun.sleep(PAUSE_MS);
  }
}

const readingOf = ({ gpus = [], errors = [] }: Reading): GpuReading => ({
  gpus,
  errors: errors.map((error) => error.replace(/^[\w-]+: /, "")),
});

/** `2 NVIDIA H100 80GB HBM3, 1 NVIDIA L4` */
export function gpuWords(gpus: readonly Gpu[]): string {
  const counts = new Map<string, number>();
  for (const { name } of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}

/** `GPU 3`, or the card's id where it has no number. */
export const gpuName = ({ index, uuid }: Gpu): string =>
  index === null || index === undefined ? uuid : `GPU ${index}`;
