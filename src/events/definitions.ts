import { type Severity, severities } from "../frame/severity.ts";

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

/** Everything that is looked for in frames. What sources heard of, such as an XID, has kind and text from them. */
export const definitions = {
  gpu_lost: condition("gpu_lost", severities.gpu_lost, "does not answer any more"),
  host_lost: condition("host_lost", severities.host_lost, "does not answer"),
  ecc_uncorrected: single("ecc", severities.memory_uncorrected, "memory errors that could not be corrected"),
  row_remapping: single("ecc", severities.memory_repair_failed, "a bad memory row could not be replaced"),
  row_pending: single("ecc", severities.memory_repair_pending, "a bad memory row waits for a reset to be replaced"),
  retired_pages: single("ecc", severities.memory_retired, "memory pages were taken out of use"),
  ecc_corrected: condition("ecc", severities.memory_corrected, "memory errors, corrected", { hold_ms: BURST_MS }),
  link: condition("link", severities.link, "an NVLink went down", { hasSubject: true }),
  throttle: condition("throttle", severities.throttle, "the hardware holds the clocks down", { hold_ms: FLICKER_MS }),
  temperature: condition("temperature", severities.temperature, "as hot as where it slows down", {
    hold_ms: FLICKER_MS,
  }),
  cliff: condition("cliff", severities.cliff, "was busy and does nothing now, while its memory stays in use"),
  power: condition("power", severities.power, "at its power limit", { hold_ms: FLICKER_MS }),
  error: condition("error", severities.reader, "a reader fails", { hold_ms: READER_HOLD_MS, hasSubject: true }),
  gap: single("gap", severities.gap, "no frames"),
  clock: single("clock", severities.clock, "the wall clock was set, or the machine slept"),
} as const satisfies Record<string, Definition>;

export type Name = keyof typeof definitions;

const conditions: ReadonlyMap<string, Definition> = new Map(
  Object.values<Definition>(definitions).flatMap((one) => (one.isCondition ? [[one.kind, one]] : [])),
);

/** The condition of that kind; no kind has two. */
export const conditionOf = (kind: string): Definition | undefined => conditions.get(kind);
