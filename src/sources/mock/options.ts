import type { SectionName } from "../../frame/schema.ts";

export interface MockSize {
  readonly hosts: number;
  readonly gpus: number;
}

export interface MockOptions extends MockSize {
  readonly seed: number;
  /** The sections to yield. */
  readonly include: readonly SectionName[];
  /** Hardware threads of each host. */
  readonly cpus?: number;
  /** A value for every hardware thread; by default only where there is one host. */
  readonly perCore?: boolean;
  /** Rows in `processes` of each host at most. Of several hosts, only processes that use a GPU are listed. */
  readonly processes?: number;
  /**
   * What a full reader adds to the bare gauges: the extension keys (`index`, `health`, `load_average`, …), the NVLink
   * list and all of `detail`. Without it a frame of 8 GPUs, CPU total and memory is a line of about 8 KB.
   */
  readonly health?: boolean;
}

export const MAX_HOSTS = 1000;
export const MAX_GPUS = 16;

/** Reads `2x8`, hosts times GPUs of each; a text is what is wrong with it. */
export function parseMock(text: string): MockSize | string {
  const found = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  if (found === null) return "not HOSTSxGPUS, as in 2x8";
  const hosts = Number(found[1]);
  const gpus = Number(found[2]);
  if (hosts < 1 || hosts > MAX_HOSTS) return `hosts must be 1 to ${MAX_HOSTS}`;
  if (gpus > MAX_GPUS) return `GPUs of each host must be 0 to ${MAX_GPUS}`;
  return { hosts, gpus };
}

/** `mock-0001`, … */
export const mockHostnames = (hosts: number): string[] =>
  Array.from({ length: hosts }, (_, host) => `mock-${String(host + 1).padStart(4, "0")}`);
