import type { Gpu } from "../../../frame/schema.ts";

/** Key of a card's details: which calls are not made for it, as they crash or hang the driver's library. */
export const NOT_ASKED = "not asked";

/** What the source adds to make a device of the frame of a card. */
type Added = "host_id" | "hostname" | "instance" | "time" | "lost";

/** One NVIDIA card as it was read in one cycle, by NVML or by nvidia-smi, under the keys of the frame. */
export interface NvidiaCard {
  /** `0000:06:00.0`: lower-case, four digits of domain, as the kernel writes it; `""` where it is not known. */
  readonly pci: string;
  /** Why the card does not answer, as `GPU is lost`; then of `row` only what is known of it from before, or from its place. */
  readonly lost: string | null;
  readonly row: Omit<Gpu, Added>;
}

/** A process that uses a card, once per card. */
export interface NvidiaProcess {
  readonly pid: number;
  /** Of the card, also where it runs in a MIG instance. */
  readonly uuid: string;
  /** Bytes. */
  readonly used_memory: number | null;
  /** Percent of the SMs' time. */
  readonly utilization: number | null;
}

/** An XID that the driver reported since the last reading. */
export interface Xid {
  readonly uuid: string;
  /** `null`: the driver did not say which. */
  readonly code: number | null;
  /** When it was received, ms since the epoch. */
  readonly t_ms: number;
}

/** Everything of one cycle. */
export interface NvidiaReading {
  readonly cards: readonly NvidiaCard[];
  readonly processes: readonly NvidiaProcess[];
  readonly xids: readonly Xid[];
  /** What could not be read, each a sentence for people; without the source's name before it. */
  readonly errors: readonly string[];
}
