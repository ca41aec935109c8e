import { Conditions, openAfter } from "../events/conditions.ts";
import type { DetectedEvent } from "../events/event.ts";
import { isObject, isPosition, parseTime, type Untrusted } from "../frame/decode.ts";
import { textOr } from "../frame/device_decoder.ts";
import { formatTime } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { CURVES, CurveCollector, type Curves, type Range } from "../frame/summary.ts";
import type { BlockFindings } from "./block.ts";
import { BlockEvents, decodeCounts, type EventCounts, type KeptEvents } from "./block_events.ts";
import type { Origin } from "./event_rows.ts";
import type { PartialHeader } from "./lines.ts";

/** What a timeline needs to know of a block without decoding it. Times in ms since the epoch. */
export interface BlockSummary extends Curves, Omit<KeptEvents, "events"> {
  readonly first_seq: number;
  readonly first_t_ms: number;
  readonly last_t_ms: number;
  readonly lowest_t_ms: number;
  readonly highest_t_ms: number;
  readonly frames: number;
  readonly first_elapsed_ms: number;
  /** Of the block's last frame. */
  readonly elapsed_ms: number;
  readonly errors: number;
  /** From one frame to the next, as the header says that the block stands under; `null` where none does. */
  readonly interval_ms: number | null;
  /** The machine's name, where a header of a local recording stands in it that is not the file's first line. */
  readonly host?: string;
  /** The conditions that were on when it began: the events of their beginnings. */
  readonly open: readonly DetectedEvent[];
  /** What was found in it, or the gravest of that; `null` where nobody looked. */
  readonly events: readonly DetectedEvent[] | null;
  /** The conditions that were on when it ended, where that does not follow from `open` and `events`. */
  readonly open_after: readonly DetectedEvent[] | null;
}

type Transitions = Pick<BlockSummary, "open" | "events" | "more" | "open_after">;

/** Whether all that was found in it is listed. */
export const isWhole = ({ events, more }: Pick<Transitions, "events" | "more">): boolean =>
  events !== null && Object.keys(more).length === 0;

/** The conditions that were on when a block ended; `null` where neither it nor what began and ended in it tells. */
export const openAfterBlock = (block: Transitions): readonly DetectedEvent[] | null =>
  isWhole(block) ? openAfter(block.open, block.events ?? []) : block.open_after;

/** How events stand in a line, relative to the block that they are of. */
export type EventEncoder = (events: readonly DetectedEvent[], block: Origin) => unknown;
export type EventDecoder = (value: unknown, block: Origin) => DetectedEvent[] | null;

/** `withOpen`: whether to say what was on. */
export function encodeBlock(block: BlockSummary, withOpen: boolean, encode: EventEncoder): unknown {
  const { first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms, first_seq, frames, ...others } = block;
  const { open, events, more, more_ends, refused_conditions, open_after, interval_ms, ...rest } = others;
  const counts = Object.entries({ more, more_ends, refused_conditions });
  return {
    first_seq,
    frames,
    first_t: formatTime(first_t_ms),
    last_t: formatTime(last_t_ms),
    lowest_t: formatTime(lowest_t_ms),
    highest_t: formatTime(highest_t_ms),
    ...(interval_ms === null ? {} : { interval_ms }),
    ...rest,
    ...(events !== null && withOpen ? { open: encode(open, block) } : {}),
    ...(events === null ? {} : { events: encode(events, block) }),
    ...Object.fromEntries(counts.filter(([, count]) => Object.keys(count).length > 0)),
    ...(open_after !== null ? { open_after: encode(open_after, block) } : {}),
  };
}

function decodeRange(value: unknown): Range | undefined {
  if (!Array.isArray(value) || value.length !== 3 || !value.every(Number.isFinite)) return undefined;
  return value as unknown as Range;
}

/** `before`: the block before it, from which follows what was on where that is not said. Without it events mean nothing. */
export function decodeBlock(value: unknown, before: BlockSummary | null, decode: EventDecoder): BlockSummary | null {
  if (!isObject(value)) return null;
  const times = [value.first_t, value.last_t, value.lowest_t, value.highest_t].map(parseTime);
  const [first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms] = times;
  const { first_seq, frames, first_elapsed_ms, elapsed_ms, errors, interval_ms } = value;
  if (![first_seq, frames, first_elapsed_ms, elapsed_ms, errors].every(isPosition)) return null;
  if (times.includes(null)) return null;
  const host = textOr(value.host, null);
  const curves: Curves = {};
  for (const curve of CURVES) {
    const range = decodeRange(value[curve]);
    if (range !== undefined) curves[curve] = range;
  }
  const origin = { first_seq, first_t_ms, first_elapsed_ms } as Origin;
  const open = decode(value.open, origin) ?? (before && openAfterBlock(before));
  return {
    ...({ first_seq, frames, first_elapsed_ms, elapsed_ms, errors } as Record<string, number>),
    ...{ first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms },
    interval_ms: isPosition(interval_ms) ? interval_ms : null,
    ...(host !== null && { host }),
    open: open ?? [],
    events: open && decode(value.events, origin),
    ...decodeKept(value, open !== null),
    open_after: open && decode(value.open_after, origin),
    ...curves,
  } as BlockSummary;
}

/** What is counted besides the events; of them nothing where they mean nothing. */
function decodeKept(value: Untrusted, isKnown: boolean): Omit<KeptEvents, "events"> {
  const counts = (key: string): EventCounts => (isKnown ? decodeCounts(value[key]) : {});
  return { more: counts("more"), more_ends: counts("more_ends"), refused_conditions: counts("refused_conditions") };
}

type Moment = Pick<Frame, "seq" | "t_ms" | "elapsed_ms">;
const momentOf = ({ seq, t_ms, elapsed_ms }: Frame): Moment => ({ seq, t_ms, elapsed_ms });

/** What is known of a block before its first frame. */
export type BlockStart = Pick<BlockSummary, "interval_ms" | "open" | "host">;

/** What a header says of the machine that is recorded; of many hosts a block does not tell. */
export function hostIn({ source, hosts }: Pick<PartialHeader, "source" | "hosts">): Pick<BlockStart, "host"> {
  const [host] = hosts ?? [];
  return source === "local" && host !== undefined ? { host } : {};
}

/** Sums up a block while it is written or read: one rule for both. */
export class BlockCollector {
  readonly #start: BlockStart;
  readonly #curves = new CurveCollector();
  readonly #events = new BlockEvents();
  readonly #open: Conditions;
  #first: Moment | null = null;
  #last: Moment | null = null;
  #lowest_t_ms = Number.POSITIVE_INFINITY;
  #highest_t_ms = Number.NEGATIVE_INFINITY;
  #frames = 0;
  #errors = 0;

  constructor(start: BlockStart) {
    this.#start = start;
    this.#open = new Conditions(start.open);
  }

  get frames(): number {
    return this.#frames;
  }

  /** Takes a frame, what was found in it, and the kinds of the conditions that found no room. */
  add(frame: Frame, events: readonly DetectedEvent[], refused: readonly string[]): void {
    this.#last = momentOf(frame);
    this.#first ??= this.#last;
    this.#lowest_t_ms = Math.min(this.#lowest_t_ms, frame.t_ms);
    this.#highest_t_ms = Math.max(this.#highest_t_ms, frame.t_ms);
    this.#frames++;
    this.#errors += frame.errors.length;
    this.#curves.add(frame);
    this.#events.add(events, refused);
    for (const event of events) this.#open.follow(event);
  }

  /** What is known by now. The block may grow. */
  findings(): Omit<BlockFindings, "slices"> {
    return { curves: this.#curves.curves(), errors: this.#errors, open: this.#start.open, ...this.#found() };
  }

  #found(): KeptEvents & Pick<BlockSummary, "open_after"> {
    const found = this.#events.sum();
    return { ...found, open_after: isWhole(found) ? null : this.#open.list() };
  }

  /** The block's last `seq`, and its summary. There must be a frame in it. */
  sum(): { readonly seq: number; readonly block: BlockSummary } {
    const first = this.#first;
    const last = this.#last;
    if (first === null || last === null) throw new Error("a block without frames has no summary");
    const block = {
      first_seq: first.seq ?? 0,
      first_t_ms: first.t_ms,
      last_t_ms: last.t_ms,
      lowest_t_ms: this.#lowest_t_ms,
      highest_t_ms: this.#highest_t_ms,
      frames: this.#frames,
      first_elapsed_ms: first.elapsed_ms ?? 0,
      elapsed_ms: last.elapsed_ms ?? 0,
      errors: this.#errors,
      ...this.#start,
      ...this.#found(),
      ...this.#curves.curves(),
    };
    return { seq: last.seq ?? 0, block };
  }
}
