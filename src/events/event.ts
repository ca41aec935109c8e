import type { Severity } from "../frame/severity.ts";

/** Whether a condition begins or ends here, or a single thing happened. */
export type EventState = "begin" | "end" | "once";

/** What the detector found at a frame: the transitions of conditions, and single things. */
export interface DetectedEvent {
  /** `xid`, `ecc`, `throttle`, `gpu_lost`, …: one of the table of definitions, or what a source called it. */
  readonly kind: string;
  readonly severity: Severity;
  readonly state: EventState;
  /** Of the frame at which it showed. */
  readonly seq: number;
  readonly t_ms: number;
  readonly elapsed_ms: number;
  readonly host: string;
  /** The device on that host, as people call it (`GPU 3`); `null` where it is about the host or the recorder. */
  readonly device: string | null;
  readonly text: string;
}
