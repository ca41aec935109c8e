import { constants, type FileHandle, lstat, open } from "node:fs/promises";
import { decodeBytes, type Line } from "../frame/decode.ts";
import { hostIds } from "../frame/hosts.ts";
import { codecOf } from "./codec.ts";
import { fileId } from "./file_id.ts";
import { MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import { decodeHeader } from "./lines.ts";

/** What a file says of itself at its beginning: whose it is. Every key of its header may be missing. */
export interface FileFacts {
  readonly path: string;
  /** Tells a file from every other one. */
  readonly id: string;
  readonly bytes: number;
  /** Whether its first line is one of a recording. */
  readonly isRecording: boolean;
  readonly hasHeader: boolean;
  /** The UUID that the files of a recording share; the Rust tool's have none. */
  readonly recording: string | null;
  readonly segment: number | null;
  readonly file: string | null;
  readonly first_seq: number | null;
  readonly t_ms: number | null;
  /** Of the first frame, where it stands near enough to the beginning. */
  readonly first_t_ms: number | null;
  /** Of the last change: no frame is later. */
  readonly changed_ms: number;
  readonly interval_ms: number | null;
  /** Of a file without UUID: those of its header, else those that its first frame has devices of. */
  readonly hosts: readonly string[];
}

/** A header is mostly in the first few, without decoding the whole of a block. */
const BEGINNING_BYTES = [8 << 10, 256 << 10] as const;
const NEWLINE = 10;

/** `null` where it is no regular file, or may not be read. Follows a link where it is told to. */
export async function fileFacts(path: string, isLinkFollowed = false): Promise<FileFacts | null> {
  const follow = isLinkFollowed ? 0 : constants.O_NOFOLLOW;
  let file: FileHandle | null = null;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
    return await readFacts(path, file);
  } catch {
    return null;
  } finally {
    await file?.close();
  }
}

async function readFacts(path: string, file: FileHandle): Promise<FileFacts | null> {
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile()) return null;
  let lines: Line[] = [];
  for (const length of BEGINNING_BYTES) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    lines = firstLines(buffer.subarray(0, bytesRead));
    if (lines.length > 0 || bytesRead < length) break;
  }
  const { size, mtimeMs } = stats;
  return { path, id: fileId(stats), bytes: Number(size), changed_ms: Number(mtimeMs), ...factsOf(lines) };
}

/** The first line and, where that is a header without UUID, the next; none where they are not whole, or of no recording. */
function firstLines(bytes: Uint8Array): Line[] {
  const { text } = codecOf(bytes).decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
  const lines: Line[] = [];
  for (let start = 0; lines.length < 2; ) {
    const end = text.indexOf(NEWLINE, start);
    if (end < 0) break;
    const line = decodeBytes(Buffer.from(text.buffer, text.byteOffset, text.length), start, end);
    if (line.kind === "bad") break;
    lines.push(line);
    if (line.kind !== "header" || typeof line.value.recording === "string") break;
    start = end + 1;
  }
  return lines;
}

const NOTHING_SAID = { recording: null, segment: null, file: null, first_seq: null, t_ms: null, interval_ms: null };

function factsOf([first, second]: readonly Line[]): Omit<FileFacts, "path" | "id" | "bytes" | "changed_ms"> {
  const frame = first?.kind === "frame" ? first.frame : second?.kind === "frame" ? second.frame : null;
  const first_t_ms = frame?.t_ms ?? null;
  if (first?.kind !== "header") {
    const hosts = frame === null ? [] : hostIds(frame);
    return { isRecording: first !== undefined, hasHeader: false, ...NOTHING_SAID, first_t_ms, hosts };
  }
  const { recording, segment, file, first_seq, t_ms, interval_ms, hosts } = decodeHeader(first.value);
  const known = { recording, segment, file, first_seq, t_ms, interval_ms, first_t_ms };
  return { isRecording: true, hasHeader: true, ...known, hosts: recording === null ? (hosts ?? []) : [] };
}

/** Not many files are open at once. */
const AT_ONCE = 16;

interface KnownFacts {
  /** Another one than before: the file has changed. */
  readonly version: string;
  readonly facts: FileFacts | null;
}

/** The facts of many files, of which those that have not changed since are not read again. */
export class FactsReader {
  #known = new Map<string, KnownFacts>();

  /** Of those that can be read, in their order. */
  async read(paths: readonly string[]): Promise<FileFacts[]> {
    const known = new Map<string, KnownFacts>();
    for (let n = 0; n < paths.length; n += AT_ONCE) {
      const some = paths.slice(n, n + AT_ONCE);
      const found = await Promise.all(some.map((path) => this.#look(path)));
      for (const [k, path] of some.entries()) if (found[k] != null) known.set(path, found[k]);
    }
    this.#known = known;
    return [...known.values()].flatMap(({ facts }) => (facts === null ? [] : [facts]));
  }

  async #look(path: string): Promise<KnownFacts | null> {
    try {
      const stats = await lstat(path, { bigint: true });
      const version = `${fileId(stats)} ${stats.ctimeNs}`;
      const known = this.#known.get(path);
      return known?.version === version ? known : { version, facts: await fileFacts(path) };
    } catch {
      return null;
    }
  }
}
