import { isObject, isPosition, parseTime, type Untrusted } from "../frame/decode.ts";
import { textOr } from "../frame/device_decoder.ts";
import { formatTime } from "../frame/encode.ts";
import { SCHEMA, type SourceKind } from "../frame/frame.ts";
import { decodeEvents, encodeEvent } from "./block_events.ts";
import {
  type BlockSummary,
  decodeBlock,
  type EventDecoder,
  type EventEncoder,
  encodeBlock,
  isWhole,
} from "./block_summary.ts";
import { decodeRows, decodeWhatTable, encodeRows, WhatTable } from "./event_rows.ts";
import { MAX_HEADER_HOSTS, SUMMARY_EVERY } from "./limits.ts";

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
  /** Tells the machine that is recorded from others, whatever its name; absent where nothing does. */
  readonly machine?: string;
  /** The name of the file that the recording was begun under; absent where it goes into none. */
  readonly file?: string;
  readonly first_seq: number;
  /** IANA name of the recording machine's zone. */
  readonly timezone: string;
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

/** So many events of beginnings are repeated at most: a reader takes 8 MiB of an index line. */
const MAX_REPEATED_OPEN = 768;

/**
 * These lines are long: what was on when a block began is left out where it follows from the block before, and where
 * there is too much of it. Then a reader does as if nobody had looked for events in that block.
 */
function encodeEntries(entries: readonly IndexEntry[]): { readonly blocks: unknown; readonly what: unknown } {
  const table = new WhatTable();
  let repeated = 0;
  const blocks = entries.map(({ block, ...entry }, n) => {
    const before = entries[n - 1]?.block;
    const follows = before !== undefined && isWhole(before);
    if (!follows) repeated += block.open.length;
    const withOpen = !follows && repeated <= MAX_REPEATED_OPEN;
    const repeatedBlock = { ...block, open_after: null };
    const encode: EventEncoder = (events, origin) => encodeRows(events, origin, table);
    return { ...entry, block: encodeBlock(repeatedBlock, withOpen, encode) };
  });
  return { blocks, what: table.list };
}

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
    block: encodeBlock(block, true, (events) => events.map(encodeEvent)),
    ...(blocks === null ? {} : encodeEntries(blocks)),
    ...(previous_summary === null ? {} : { previous_summary }),
  });
}

function decodeEntry(value: unknown, before: BlockSummary | null, decode: EventDecoder): IndexEntry | null {
  if (!isObject(value)) return null;
  const { seq, byte_offset, at } = value;
  const block = decodeBlock(value.block, before, decode);
  if (!isPosition(seq) || !isPosition(byte_offset) || !isPosition(at) || block === null) return null;
  return byte_offset < at && block.first_seq <= seq ? { seq, byte_offset, at, block } : null;
}

/** `null` where one of them cannot be true, or there are more than a line repeats. */
function decodeEntries(values: readonly unknown[], what: unknown): IndexEntry[] | null {
  if (values.length >= SUMMARY_EVERY) return null;
  const table = decodeWhatTable(what);
  const entries: IndexEntry[] = [];
  for (const value of values) {
    const before = entries.at(-1)?.block ?? null;
    const entry = decodeEntry(value, before, (rows, origin) => decodeRows(rows, origin, table));
    if (entry === null) return null;
    entries.push(entry);
  }
  return entries;
}

/** An index line of ours; `null` for the Rust tool's, which knows no blocks, and for one that cannot be true. */
export function decodeIndex(value: Untrusted): IndexLine | null {
  const entry = decodeEntry(value, null, decodeEvents);
  if (entry === null) return null;
  const { previous, end, blocks, what, previous_summary } = value;
  const entries = Array.isArray(blocks) ? decodeEntries(blocks, what) : null;
  if (Array.isArray(blocks) && entries === null) return null;
  const before = (at: unknown): number | null => (isPosition(at) && at < entry.byte_offset ? at : null);
  return {
    ...entry,
    previous: before(previous),
    end: end === true,
    blocks: entries,
    previous_summary: before(previous_summary),
  };
}

/** What can be known of a header, ours or the Rust tool's; every key may be missing. */
export type PartialHeader = { readonly [K in keyof Header]-?: Exclude<Header[K], undefined> | null };

export function decodeHeader(value: Untrusted): PartialHeader {
  const text = (one: unknown): string | null => textOr(one, null);
  const number = (one: unknown): number | null => (isPosition(one) ? one : null);
  const hosts = Array.isArray(value.hosts) ? value.hosts.map(text).filter((one) => one !== null) : null;
  return {
    t_ms: parseTime(value.t),
    interval_ms: number(value.interval_ms),
    source: value.source === "local" || value.source === "remote" ? value.source : null,
    hosts: hosts?.slice(0, MAX_HEADER_HOSTS) ?? null,
    all_smi_version: text(value.all_smi_version),
    recording: text(value.recording),
    segment: number(value.segment),
    machine: text(value.machine),
    file: text(value.file),
    first_seq: number(value.first_seq),
    timezone: text(value.timezone),
  };
}
