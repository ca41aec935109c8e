import type { Chassis, Cpu, FrameEvent, Gpu, Memory, Process, Scrape, Storage } from "./schema.ts";

/** The number every line carries, and the only one this program reads. */
export const SCHEMA = 1;

/** What the headers of simulated machines have for a machine: nobody renames those. */
export const SIMULATED_MACHINE = "simulated";

/** The device sections of a frame: `[]` was asked for and is empty, absent was not asked for. */
export interface Sections {
  gpus?: Gpu[];
  cpus?: Cpu[];
  memory?: Memory[];
  chassis?: Chassis[];
  processes?: Process[];
  storage?: Storage[];
}

export type SourceKind = "local" | "remote";

/** One collection cycle of one machine or of many. Every unknown value in it is `null`. */
export interface Frame extends Sections {
  /** Wall clock when the cycle began, ms since the epoch. */
  t_ms: number;
  /** Counted over the whole recording from 0; `null` where the file has none (the Rust tool's). */
  seq: number | null;
  /** Since the recording's first frame, by the boot-time clock; `null` where the file has none. */
  elapsed_ms: number | null;
  /** `null` where the file does not say. */
  source: SourceKind | null;
  hostname: string;
  /** What went wrong in this cycle, as `"reader: message"`. */
  errors: string[];
  scrapes?: Scrape[];
  events?: FrameEvent[];
}
