import type { Gpu } from "../../frame/schema.ts";
import { openGpuSources } from "../../sources/gpu/gpus.ts";
import { GpuRegistry } from "../../sources/gpu/registry.ts";
import type { Reading, Source } from "../../sources/source.ts";
import type { Machine } from "../machine.ts";
import { readCycle } from "../reading.ts";

const host = { host_id: "doctor", hostname: "doctor", instance: "doctor" };
/** Of one reading: as short as a driver that hangs is told from one that is slow, so that there is time to find out more. */
const WAIT_MS = 2000;
const PAUSE_MS = 250;
/** A reader that was ended is started again in this time, and then knows more. */
const PATIENCE_MS = 4000;

/** What the reader of a vendor's cards, the one that records, says here. */
export interface GpuReading {
  readonly gpus: readonly Gpu[];
  /** Sentences, without the source's name. */
  readonly errors: readonly string[];
}

export const isAnswering = ({ lost }: Gpu): boolean => lost === null || lost === undefined;

/**
 * Reads a vendor's cards by the very source that records them: once, or until cards answer, as long as something may
 * still come of it. `null`: no source has one of these names.
 */
export async function readGpus(
  machine: Machine,
  names: readonly string[],
  limit_ms: number,
): Promise<GpuReading | null> {
  const sources = await openGpuSources({ root: machine.root, host, registry: new GpuRegistry() });
  try {
    const source = sources.find(({ name }) => names.includes(name));
    return source === undefined ? null : await readUntil(source, performance.now() + limit_ms);
  } finally {
    for (const source of sources) source.close?.();
  }
}

async function readUntil(source: Source, end_ms: number): Promise<GpuReading> {
  const found = new Set<string>();
  let said = "";
  let since_ms = performance.now();
  for (;;) {
    const left_ms = Math.max(PAUSE_MS, end_ms - performance.now());
    const reading = readingOf(await readCycle(source, Math.min(WAIT_MS, left_ms)));
    const now_ms = performance.now();
    const words = reading.errors.join("\n");
    if (words !== said) since_ms = now_ms;
    said = words;
    for (const error of reading.errors) if (isSaidOnce(error)) found.add(error);
    const isSettled = now_ms - since_ms >= PATIENCE_MS && !reading.errors.some(isUnderWay);
    if (words === "" || reading.gpus.some(isAnswering) || isSettled || now_ms + PAUSE_MS >= end_ms) {
      return { ...reading, errors: [...found, ...reading.errors.filter((error) => !found.has(error))] };
    }
    await Bun.sleep(PAUSE_MS);
  }
}

/** As the source says it: something may still come of it. */
export const isUnderWay = (error: string): boolean => /being initialized|^no answer|has not answered yet/.test(error);
/** What was found out about a function or a card that crashes or hangs the driver's library. */
const isSaidOnce = (error: string): boolean => /not asked any more/.test(error);

const readingOf = ({ gpus = [], errors = [] }: Reading): GpuReading => ({
  gpus,
  errors: errors.map((error) => error.replace(/^[\w-]+: /, "")),
});

/** `2 NVIDIA H100 80GB HBM3, 1 NVIDIA L4`; last those that have not said what they are, `1 unnamed`. */
export function gpuWords(gpus: readonly Gpu[]): string {
  const counts = new Map<string, number>();
  for (const { name } of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  const unnamed = counts.get("") ?? 0;
  counts.delete("");
  const named = [...counts].map(([name, count]) => `${count} ${name}`);
  return [...named, ...(unnamed > 0 ? [`${unnamed} unnamed`] : [])].join(", ");
}

/** `GPU 3`, or the card's id where it has no number. */
export const gpuName = ({ index, uuid }: Gpu): string =>
  index === null || index === undefined ? uuid : `GPU ${index}`;
