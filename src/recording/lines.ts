import { isObject, parseTime, type Untrusted } from "../frame/decode.ts";
import { formatTime } from "../frame/encode.ts";
import { type Frame, SCHEMA, type SourceKind } from "../frame/frame.ts";
import { CURVES, CurveCollector, type Curves, type Range } from "../frame/summary.ts";
import { MAX_HEADER_HOSTS } from "./limits.ts";

/** The first line of every segment, and of every stretch that a restarted recorder adds. */
export interface Header {
  readonly t_ms: number;
  readonly interval_ms: number;
  readonly source: SourceKind;
  readonly hosts: readonly string[];
  readonly all_smi_version: string;
  /** The same in all segments of a recording. */
  readonly recording: string;
  readonly segment: number;
  readonly first_seq: number;
  /** IANA name of the recording machine's zone. */
  readonly timezone: string;
}

/** What a timeline needs to know of a block without decoding it. Times in ms since the epoch. */
export interface BlockSummary extends Curves {
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
}

/** A block and the index line that closes it: where both stand, in bytes of the file as stored. */
export interface IndexEntry {
  /** Of the block's last frame. */
  readonly seq: number;
  /** Where the block's unit begins. */
  readonly byte_offset: number;
  /** Where the index line's own unit begins. */
  readonly at: number;
  readonly block: BlockSummary;
}

export interface IndexLine extends IndexEntry {
  /** The `at` of the index line before this one. */
  readonly previous: number | null;
  /** Set on the last line of a file that was closed cleanly. */
  readonly end: boolean;
  /** On every 64th line and the last one: the entries since the line before that had them, without this one's own. */
  readonly blocks: readonly IndexEntry[] | null;
  /** The `at` of that line. */
  readonly previous_summary: number | null;
}

const encoder = new TextEncoder();
const line = (value: unknown): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);

export function headerLine({ t_ms, ...rest }: Header): Uint8Array {
  return line({ schema: SCHEMA, header: true, t: formatTime(t_ms), ...rest });
}

function encodeBlock(block: BlockSummary): unknown {
  const { first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms, first_seq, frames, ...rest } = block;
  return {
    first_seq,
    frames,
    first_t: formatTime(first_t_ms),
    last_t: formatTime(last_t_ms),
    lowest_t: formatTime(lowest_t_ms),
    highest_t: formatTime(highest_t_ms),
    ...rest,
  };
}

const encodeEntry = ({ block, ...entry }: IndexEntry): unknown => ({ ...entry, block: encodeBlock(block) });

export function indexLine(index: IndexLine): Uint8Array {
  const { seq, byte_offset, at, block, previous, end, blocks, previous_summary } = index;
  return line({
    schema: SCHEMA,
    index: true,
    seq,
    byte_offset,
    t: formatTime(block.last_t_ms),
    at,
    ...(previous === null ? {} : { previous }),
    ...(end ? { end } : {}),
    block: encodeBlock(block),
    ...(blocks === null ? {} : { blocks: blocks.map(encodeEntry) }),
    ...(previous_summary === null ? {} : { previous_summary }),
  });
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function decodeRange(value: unknown): Range | undefined {
  if (!Array.isArray(value) || value.length !== 3 || !value.every(Number.isFinite)) return undefined;
  return value as unknown as Range;
}

function decodeBlock(value: unknown): BlockSummary | null {
  if (!isObject(value)) return null;
  const times = [value.first_t, value.last_t, value.lowest_t, value.highest_t].map(parseTime);
  const [first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms] = times;
  const { first_seq, frames, first_elapsed_ms, elapsed_ms, errors } = value;
  if (![first_seq, frames, first_elapsed_ms, elapsed_ms, errors].every(isPosition)) return null;
  if (times.includes(null)) return null;
  const curves: Curves = {};
  for (const curve of CURVES) {
    const range = decodeRange(value[curve]);
    if (range !== undefined) curves[curve] = range;
  }
  return {
    ...({ first_seq, frames, first_elapsed_ms, elapsed_ms, errors } as Record<string, number>),
    ...{ first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms },
    ...curves,
  } as BlockSummary;
}

function decodeEntry(value: unknown): IndexEntry | null {
  if (!isObject(value)) return null;
  const { seq, byte_offset, at } = value;
  const block = decodeBlock(value.block);
  if (!isPosition(seq) || !isPosition(byte_offset) || !isPosition(at) || block === null) return null;
  return byte_offset < at && block.first_seq <= seq ? { seq, byte_offset, at, block } : null;
}

/** An index line of ours; `null` for the Rust tool's, which knows no blocks, and for one that cannot be true. */
export function decodeIndex(value: Untrusted): IndexLine | null {
  const entry = decodeEntry(value);
  if (entry === null) return null;
  const { previous, end, blocks, previous_summary } = value;
  const entries = Array.isArray(blocks) ? blocks.map(decodeEntry) : null;
  if (entries?.includes(null)) return null;
  const before = (at: unknown): number | null => (isPosition(at) && at < entry.byte_offset ? at : null);
  return {
    ...entry,
    previous: before(previous),
    end: end === true,
    blocks: entries as IndexEntry[] | null,
    previous_summary: before(previous_summary),
  };
}

/** What can be known of a header, ours or the Rust tool's; every key may be missing. */
export type PartialHeader = { readonly [K in keyof Header]: Header[K] | null };

export function decodeHeader(value: Untrusted): PartialHeader {
  const text = (one: unknown): string | null => (typeof one === "string" ? one : null);
  const number = (one: unknown): number | null => (isPosition(one) ? one : null);
  const hosts = Array.isArray(value.hosts) ? value.hosts.filter((one) => typeof one === "string") : null;
  return {
    t_ms: parseTime(value.t),
    interval_ms: number(value.interval_ms),
    source: value.source === "local" || value.source === "remote" ? value.source : null,
    hosts: hosts?.slice(0, MAX_HEADER_HOSTS) ?? null,
    all_smi_version: text(value.all_smi_version),
    recording: text(value.recording),
    segment: number(value.segment),
    first_seq: number(value.first_seq),
    timezone: text(value.timezone),
  };
}

type Moment = Pick<Frame, "seq" | "t_ms" | "elapsed_ms">;
const momentOf = ({ seq, t_ms, elapsed_ms }: Frame): Moment => ({ seq, t_ms, elapsed_ms });

/** Sums up a block while it is written or read. */
export class BlockCollector {
  readonly #curves = new CurveCollector();
  #first: Moment | null = null;
  #last: Moment | null = null;
  #lowest_t_ms = Number.POSITIVE_INFINITY;
  #highest_t_ms = Number.NEGATIVE_INFINITY;
  #frames = 0;
  #errors = 0;

  get frames(): number {
    return this.#frames;
  }

  add(frame: Frame): void {
    this.#last = momentOf(frame);
    this.#first ??= this.#last;
    this.#lowest_t_ms = Math.min(this.#lowest_t_ms, frame.t_ms);
    this.#highest_t_ms = Math.max(this.#highest_t_ms, frame.t_ms);
    this.#frames++;
    this.#errors += frame.errors.length;
    this.#curves.add(frame);
  }

  /** The block's last `seq`, and its summary. There must be a frame in it. */
  sum(): Pick<IndexEntry, "seq" | "block"> {
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
      ...this.#curves.curves(),
    };
    return { seq: last.seq ?? 0, block };
  }
}
