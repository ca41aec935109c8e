import { decodeBytes } from "../frame/decode.ts";
import type { Frame, SourceKind } from "../frame/frame.ts";
import { type FileBytes, lengthWithoutZeros } from "./bytes.ts";
import { findLastIndex } from "./chain.ts";
import { type Codec, codecOf } from "./codec.ts";
import { MAX_LINE_BYTES, MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import { decodeHeader, type PartialHeader } from "./lines.ts";
import { findRepair, type LastFrame, type Repair } from "./repair.ts";

/** Whose recording a file is, as far as it says. */
export interface Identity {
  readonly recording: string | null;
  readonly segment: number | null;
  readonly source: SourceKind | null;
  readonly hosts: readonly string[] | null;
  readonly machine: string | null;
}

/** What a recorder finds at the path that it is to record to. */
export type Found =
  /** No frames in it: empty, only zero bytes (power loss), or the cut-off beginning of one of ours. */
  | { readonly kind: "empty" }
  | { readonly kind: "foreign" }
  | { readonly kind: "refused"; readonly schema: number }
  /** Ours, sound or easily made so. */
  | { readonly kind: "continue"; readonly identity: Identity; readonly last: LastFrame; readonly repair: Repair }
  /** A recording that cannot be continued in the same file. */
  | { readonly kind: "adopt"; readonly identity: Identity; readonly codec: Codec };

const BEGINNING_BYTES = 256 << 10;
const NEWLINE = 10;
const HEADER_START = '{"schema":1,"header":true';

/** Looks at a file without changing it; `codec` is what a recording at that path would be written with. */
export function examine(file: FileBytes, codec: Codec): Found {
  const beginning = file.read(0, BEGINNING_BYTES);
  if (isEmpty(file, beginning)) return { kind: "empty" };
  const found = codecOf(beginning);
  const text = textOf(beginning, found);
  const end = text.indexOf(NEWLINE);
  if (end < 0) return withoutLine(file, codec, found);
  const first = decodeBytes(text, 0, end);
  if (first.kind === "bad") return { kind: "foreign" };
  if (first.kind === "refused") return { kind: "refused", schema: first.schema };
  const identity = first.kind === "frame" ? identityOfFrame(first.frame) : identityOfHeader(first.value);
  const { recording } = identity;
  const repaired = recording !== null && found === codec ? findRepair(file, codec, recording) : null;
  if (repaired === "empty") return { kind: "empty" };
  return repaired === null ? { kind: "adopt", identity, codec: found } : { kind: "continue", identity, ...repaired };
}

function isEmpty(file: FileBytes, beginning: Buffer): boolean {
  const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);
  if (!isZero(beginning)) return false;
  for (let at = beginning.length; at < file.size; at += BEGINNING_BYTES) {
    if (!isZero(file.read(at, BEGINNING_BYTES))) return false;
  }
  return true;
}

/** The text that the file begins with; of a damaged unit that before the damage. */
function textOf(beginning: Buffer, codec: Codec): Buffer {
  const { text, length } = codec.decodeUnit(beginning, MAX_UNIT_TEXT_BYTES);
  return Buffer.from(length === null ? codec.cutText(beginning) : text);
}

/** Its first line cannot be read: because it was never written whole, because it is damaged, or because there is none. */
function withoutLine(file: FileBytes, codec: Codec, found: Codec): Found {
  if (isOurBeginning(file, codec)) return { kind: "empty" };
  if (findLastIndex(file, found) === null) return { kind: "foreign" };
  return {
    kind: "adopt",
    identity: { recording: null, segment: null, source: null, hosts: null, machine: null },
    codec: found,
  };
}

/** The first write of one of ours was cut off, if what there is looks exactly so; a power loss adds zero bytes. */
function isOurBeginning(file: FileBytes, codec: Codec): boolean {
  if (file.size > MAX_LINE_BYTES) return false;
  const read = file.read(0, file.size);
  const bytes = read.subarray(0, lengthWithoutZeros(read));
  const start = Buffer.from(codec.start).subarray(0, bytes.length);
  if (!bytes.subarray(0, start.length).equals(start)) return false;
  if (codec.magic.length > 0 && bytes.indexOf(codec.magic, 1) >= 0) return false;
  const isPlain = codec.magic.length === 0;
  const { text, damage } = isPlain ? { text: bytes, damage: null } : codec.decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
  const known = Buffer.from(HEADER_START).subarray(0, text.length);
  return damage === null && known.equals(text.subarray(0, known.length));
}

function identityOfHeader(value: Parameters<typeof decodeHeader>[0]): Identity {
  const { recording, segment, source, hosts, machine }: PartialHeader = decodeHeader(value);
  return { recording, segment, source, hosts, machine: machine ?? null };
}

/** The Rust tool calls the host of a remote frame `remote`. */
const identityOfFrame = ({ hostname, source }: Frame): Identity => ({
  recording: null,
  segment: null,
  source: source ?? (hostname === "remote" ? "remote" : "local"),
  hosts: hostname === "remote" ? null : [hostname],
  machine: null,
});
