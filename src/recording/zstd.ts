import zlib from "node:zlib";
import type { ClosedUnit, Codec, DecodedUnit, UnitEncoder } from "./codec.ts";
import { damageOf } from "./damage.ts";
import { type Flusher, StepFlusher, StreamFlusher } from "./flusher.ts";
import { MAX_UNIT_TEXT_BYTES, outputChunkBytes, WINDOW_LOG_MAX } from "./limits.ts";
import { type StepDecoder, stepDecoder } from "./step_decoder.ts";
import { xxhash64Low32 } from "./xxhash64.ts";
import { zlibSteps } from "./zlib_steps.ts";
import { frameExtent, isPrefix, skippableBytes, ZSTD_MAGIC } from "./zstd_frame.ts";

const C = zlib.constants;
const NEWLINE = 10;

/**
 * Level 9 with a flush after every line is smaller than an unflushed stream at level 3. A window of 2 MiB spans many
 * lines of one machine. Of the level's 10 MiB of hash tables a sixteenth does: lines repeat the one before, so what
 * was overwritten is not missed, and longer matches (6 bytes) searched deeper make it smaller than the level itself.
 */
const USUAL = { windowLog: 21, searchLog: 5 };

/**
 * A line of a hundred machines has 4 MB. With the line before in the window it takes half the bytes, and half the time
 * as there is less to search for; a machine's own recorder is spared the memory.
 */
const WIDE = { windowLog: 23, searchLog: 3 };
const WIDE_LINE_BYTES = 512 << 10;

type Reach = typeof USUAL;

const reachFor = (text: Uint8Array): Reach => (text.length < WIDE_LINE_BYTES ? USUAL : WIDE);

const encodeOptions = ({ windowLog, searchLog }: Reach) => ({
  params: {
    [C.ZSTD_c_compressionLevel]: 9,
    [C.ZSTD_c_windowLog]: windowLog,
    [C.ZSTD_c_hashLog]: 17,
    [C.ZSTD_c_searchLog]: searchLog,
    [C.ZSTD_c_minMatch]: 6,
    [C.ZSTD_c_checksumFlag]: 1,
  },
});

/** Index lines are small and rare; a low level spares the memory of a second large context. */
const ENCODE_SMALL = { params: { [C.ZSTD_c_compressionLevel]: 3, [C.ZSTD_c_checksumFlag]: 1 } };

/** Without an empty raw block after the flush, `zstd -dc` 1.5.4 withholds the end of a cut-off file now and then. */
const EMPTY_BLOCK = new Uint8Array([0, 0, 0]);
const NOTHING = new Uint8Array(0);
const EMPTY_LAST_BLOCK = new Uint8Array([1, 0, 0]);

/** Lines of a machine are compressed on the spot; those of many take as long as a whole cycle of a single one. */
function flusherOf(reach: Reach): Flusher {
  const stream = () => zlib.createZstdCompress(encodeOptions(reach));
  const steps = reach === USUAL ? zlibSteps(stream()) : null;
  return steps === null ? new StreamFlusher(stream()) : new StepFlusher(steps);
}

class ZstdEncoder implements UnitEncoder {
  #reach = USUAL;
  #flusher: Flusher | null = null;
  #isOpen = false;

  async flush(text: Uint8Array): Promise<Uint8Array> {
    const bytes = await this.#flusherFor(text).flush(text, C.ZSTD_e_flush);
    return Buffer.concat([bytes, EMPTY_BLOCK]);
  }

  /** One context for all units: the next write begins another frame, byte for byte as a new stream would. */
  #flusherFor(text: Uint8Array): Flusher {
    const reach = this.#isOpen ? this.#reach : reachFor(text);
    if (reach !== this.#reach) this.close();
    this.#flusher ??= flusherOf(reach);
    this.#reach = reach;
    this.#isOpen = true;
    return this.#flusher;
  }

  async end(): Promise<Uint8Array> {
    this.#isOpen = false;
    return (await this.#flusher?.flush(null, C.ZSTD_e_end)) ?? NOTHING;
  }

  close(): void {
    this.#flusher?.close();
    this.#flusher = null;
  }
}

/** Decodes a whole frame, or the beginning of one, at once; throws on damage. */
const decode = (frame: Uint8Array, maxTextBytes: number): Uint8Array =>
  zlib.zstdDecompressSync(frame, {
    finishFlush: C.ZSTD_e_flush,
    maxOutputLength: maxTextBytes,
    chunkSize: outputChunkBytes(frame.length),
    params: { [C.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  });

function decodeUnit(bytes: Uint8Array, maxTextBytes: number): DecodedUnit {
  const skippable = skippableBytes(bytes, 0);
  if (skippable !== null) return { text: NOTHING, length: skippable <= bytes.length ? skippable : null, damage: null };
  const extent = frameExtent(bytes);
  if (extent === null) {
    return { text: NOTHING, length: null, damage: isPrefix(bytes, ZSTD_MAGIC) ? null : "no zstd frame" };
  }
  try {
    const text = decode(bytes.subarray(0, extent.length ?? bytes.length), maxTextBytes);
    return { text, length: extent.length, damage: null };
  } catch (error) {
    return { text: NOTHING, length: null, damage: damageOf(error) };
  }
}

/** Kept from one unit to the next, as it touches 8 MiB of memory of its own. */
let unitDecoder: StepDecoder | null = null;

function decodeInto(bytes: Uint8Array, memory: Uint8Array): number | null {
  if (frameExtent(bytes)?.length !== bytes.length) return null;
  const decoder = unitDecoder ?? stepDecoder("zstd", WINDOW_LOG_MAX);
  unitDecoder = null;
  if (decoder === null) return null;
  try {
    const { consumedBytes, producedBytes } = decoder.step(bytes, memory);
    if (consumedBytes === bytes.length && producedBytes < memory.length) {
      unitDecoder = decoder;
      return producedBytes;
    }
  } catch {
    // Damaged: whoever decodes it by itself says how.
  }
  decoder.close();
  return null;
}

/** The text of the first blocks of a frame, `null` where they are damaged. */
function textUpTo(bytes: Uint8Array, end: number, maxTextBytes: number): Uint8Array | null {
  try {
    return decode(bytes.subarray(0, end), maxTextBytes);
  } catch {
    return null;
  }
}

function cutText(bytes: Uint8Array): Uint8Array {
  const ends = flushedEnds(frameExtent(bytes)?.blockEnds ?? []);
  const end = ends[lastSound(bytes, ends, MAX_UNIT_TEXT_BYTES)];
  return end === undefined ? NOTHING : (textUpTo(bytes, end, MAX_UNIT_TEXT_BYTES) ?? NOTHING);
}

/**
 * Keeps up to the last end of a block at which the text ends in a newline, and ends the frame there with an empty last
 * block and the checksum (the low half of XXH64 over the text).
 */
function closeUnit(bytes: Uint8Array, maxTextBytes: number): ClosedUnit | null {
  const extent = frameExtent(bytes);
  if (extent === null) return null;
  const ends = flushedEnds(extent.blockEnds);
  for (let n = lastSound(bytes, ends, maxTextBytes); n >= 0; n--) {
    const end = ends[n] ?? 0;
    const text = textUpTo(bytes, end, maxTextBytes);
    if (text === null || text.length === 0) return null;
    if (text.at(-1) !== NEWLINE) continue;
    const keepBytes = firstWithSameText(bytes, ends, n, text.length, maxTextBytes);
    const isEnded = extent.ended && keepBytes === extent.blockEnds.at(-1);
    const closing = [isEnded ? NOTHING : EMPTY_LAST_BLOCK, extent.checksum ? checksumBytes(text) : NOTHING];
    const isAll = extent.length === null && !hasFlush(bytes, extent.blockEnds, keepBytes);
    return { keepBytes, isAll, closing: Buffer.concat(closing), text };
  }
  return null;
}

/**
 * The blocks that are sure to be as they were written: in a frame that is flushed those before an empty block, which
 * stands behind each flush of ours. What was cut off further on may end in a block of rubbish; zero bytes read as empty
 * blocks.
 */
function flushedEnds(ends: readonly number[]): readonly number[] {
  const flushed = ends.filter((_, n) => isEmptyBlock(ends, n + 1) || isEmptyBlock(ends, n));
  return flushed.length > 0 ? flushed : ends;
}

/**
 * Whether behind that byte there is a block with an empty one after it. A tail of zero bytes reads as empty blocks, and
 * as the rest of one that was cut off: none of ours ends in a zero byte.
 */
const hasFlush = (bytes: Uint8Array, ends: readonly number[], from: number): boolean =>
  ends.some((end, n) => end > from && isEmptyBlock(ends, n + 1) && bytes[end - 1] !== 0);

const isEmptyBlock = (ends: readonly number[], n: number): boolean =>
  (ends[n] ?? 0) - (ends[n - 1] ?? 0) === EMPTY_BLOCK.length;

/** The last block up to which all decode: damage anywhere spoils all that follows, so halving finds it. */
function lastSound(bytes: Uint8Array, ends: readonly number[], maxTextBytes: number): number {
  let sound = -1;
  let bad = ends.length;
  for (let probe = bad - 1; bad - sound > 1; probe = (sound + bad) >> 1) {
    if (textUpTo(bytes, ends[probe] ?? 0, maxTextBytes) === null) bad = probe;
    else sound = probe;
  }
  return sound;
}

/** A tail of zero bytes, as a power loss leaves it, reads as a row of empty blocks: of those one is kept. */
function firstWithSameText(bytes: Uint8Array, ends: readonly number[], n: number, length: number, max: number): number {
  let first = n;
  while (first > 1 && isEmptyBlock(ends, first) && isEmptyBlock(ends, first - 1)) first--;
  const end = ends[first] ?? 0;
  return textUpTo(bytes, end, max)?.length === length ? end : (ends[n] ?? 0);
}

function checksumBytes(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, xxhash64Low32(text), true);
  return bytes;
}

export const zstd: Codec = {
  name: "zstd",
  extension: ".ndjson.zst",
  magic: ZSTD_MAGIC,
  // Flags: a checksum, no content size.
  start: new Uint8Array([...ZSTD_MAGIC, 0x04]),
  encoder: () => new ZstdEncoder(),
  encodeUnit: (text) => zlib.zstdCompressSync(text, ENCODE_SMALL),
  decodeUnit,
  decodeInto,
  cutText,
  closeUnit: (bytes) => closeUnit(bytes, MAX_UNIT_TEXT_BYTES),
};
