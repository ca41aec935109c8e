import type { Severity } from "./event.ts";

/** One kind of thing that may happen. */
export interface Definition {
  readonly kind: string;
  readonly severity: Severity;
  /** A condition begins and ends; anything else just happens. */
  readonly isCondition: boolean;
  /** A condition is over only when it was away for so long: what flickers is one event. */
  readonly hold_ms?: number;
  /** Several can be on at once in one place; the words before the first `": "` of the text tell which one it is. */
  readonly hasSubject?: true;
  readonly sentence: string;
}

const single = (kind: string, severity: Severity, sentence: string): Definition => ({
  kind,
  severity,
  isCondition: false,
  sentence,
});

const condition = (
  kind: string,
  severity: Severity,
  sentence: string,
  more: Pick<Definition, "hold_ms" | "hasSubject"> = {},
): Definition => ({ kind, severity, isCondition: true, sentence, ...more });

/** Throttling and readings around a limit flicker from one second to the next. */
const FLICKER_MS = 10_000;
/** A reader that answers now and then has not recovered. */
const READER_HOLD_MS = 30_000;
/** Corrected errors come in bursts. */
const BURST_MS = 60_000;

/** Everything that is looked for. Of `xid`, `oom`, `aer`, `hang` and `gpu_reset`, which a source hears of, severity and text are the source's. */
export const definitions = {
  xid: single("xid", "critical", "the GPU's driver reports an error"),
  oom: single("oom", "critical", "a process was killed for want of memory"),
  aer: single("aer", "warning", "an error on the PCIe bus"),
  hang: single("hang", "critical", "a process hangs in the kernel, or a GPU"),
  gpu_reset: single("gpu_reset", "warning", "a GPU was reset"),
  gpu_lost: condition("gpu_lost", "critical", "does not answer any more"),
  host_lost: condition("host_lost", "critical", "does not answer"),
  ecc_uncorrected: single("ecc", "critical", "memory errors that could not be corrected"),
  row_remapping: single("ecc", "critical", "a bad memory row could not be replaced"),
  row_pending: single("ecc", "warning", "a bad memory row waits for a reset to be replaced"),
  retired_pages: single("ecc", "warning", "memory pages were taken out of use"),
  ecc_corrected: condition("ecc", "warning", "memory errors, corrected", { hold_ms: BURST_MS }),
  link: condition("link", "warning", "an NVLink went down", { hasSubject: true }),
  throttle: condition("throttle", "warning", "the hardware holds the clocks down", { hold_ms: FLICKER_MS }),
  temperature: condition("temperature", "warning", "as hot as where it slows down", { hold_ms: FLICKER_MS }),
  cliff: condition("cliff", "warning", "was busy and does nothing now, while its memory stays in use"),
  power: condition("power", "info", "at its power limit", { hold_ms: FLICKER_MS }),
  error: condition("error", "warning", "a reader fails", { hold_ms: READER_HOLD_MS, hasSubject: true }),
  gap: single("gap", "warning", "no frames"),
  clock: single("clock", "warning", "the wall clock was set, or the machine slept"),
} as const satisfies Record<string, Definition>;

export type Name = keyof typeof definitions;

const conditions: ReadonlyMap<string, Definition> = new Map(
  Object.values<Definition>(definitions).flatMap((one) => (one.isCondition ? [[one.kind, one]] : [])),
);

/** The condition of that kind; no kind has two. */
export const conditionOf = (kind: string): Definition | undefined => conditions.get(kind);
