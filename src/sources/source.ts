import type { Frame, Sections } from "../frame/frame.ts";

/** Whose devices a source yields; the first three keys of every device. */
export interface HostIdentity {
  readonly host_id: string;
  readonly hostname: string;
  readonly instance: string;
}

/** What the sampler tells a source about the cycle it reads for. */
export interface Cycle {
  /** Wall clock when the cycle began, ms since the epoch. */
  readonly t_ms: number;
  /** The same moment as `YYYY-MM-DD HH:MM:SS` in the machine's zone, for the devices' `time`. */
  readonly time: string;
  /** A clock that nobody steps, in ms; for rates between two cycles. */
  readonly monotonic_ms: number;
  /** How long the cycle is open, from `monotonic_ms` on: who hands in a part of what it wants ends before that. */
  readonly wait_ms: number;
  /** The reading before the first frame, which is thrown away: whoever hangs is not worth waiting for. */
  readonly isOnlyForRates?: boolean;
  /** Somebody waits for this very cycle, and takes a frame that lacks a value rather than one that lacks a device. */
  readonly isAwaited?: boolean;
  /** Aborted when the cycle closes; what is answered after that is thrown away. */
  readonly signal: AbortSignal;
}

/** What a source read: sections of the frame, and what it could not read as `"reader: message"`. */
export type Reading = Sections & Partial<Pick<Frame, "errors" | "scrapes" | "events">>;

/**
 * Yields sections of a frame. One call per cycle, never a second one before the first has answered. What a source
 * cannot read it says in `errors` (or by rejecting, when nothing could be read); "no such hardware" is an empty
 * section and no error.
 */
export interface Source {
  /** As it stands before the colon in a frame's `errors`: `cpu`, `memory`, `nvidia`, … */
  readonly name: string;
  /** Set where rates come from two readings: it is read once more, shortly before the first cycle. */
  readonly fromTwoReadings?: boolean;
  read(cycle: Cycle): Reading | Promise<Reading>;
  /** Gives back descriptors and child processes. */
  close?(): void;
}
