import type { Codec } from "./codec.ts";
import { LARGEST_BLOCK_TEXT_BYTES, MAX_UNIT_TEXT_BYTES } from "./limits.ts";

/** A smaller unit has little text: it gets memory of its own. */
const SMALL_UNIT_BYTES = 64 << 10;
/** Smaller texts may share their memory with others. */
const OWN_MEMORY_BYTES = 64 << 10;
/** Of one machine's frames a block decodes to 40 times its size, of a cluster's to 55. */
const TEXT_FACTOR = 64;
/** Memory is of so many bytes or a multiple of it, so that what one block leaves does for most others. */
const STEP_BYTES = 4 << 20;

const memoryBytes = (unitBytes: number): number =>
  Math.min(Math.ceil((unitBytes * TEXT_FACTOR) / STEP_BYTES) * STEP_BYTES, LARGEST_BLOCK_TEXT_BYTES);

/**
 * Memory that goes from one block's text to the next: pages that nobody has touched yet cost as much as decoding into
 * them, and what is left to the garbage collector comes to 300 MB where 32 are held.
 */
let spare = new ArrayBuffer(0);

/**
 * Decodes a unit that is `bytes` and nothing else; `null` where it is not. Whoever is done with the text calls
 * {@link freeText}.
 */
export function blockText(codec: Codec, bytes: Uint8Array): Buffer | null {
  return (bytes.length < SMALL_UNIT_BYTES ? null : inSpareMemory(codec, bytes)) ?? inNewMemory(codec, bytes);
}

/** Memory for a text of so many bytes, with whatever is in it. Whoever is done with it calls {@link freeText}. */
export function textMemory(bytes: number): Buffer {
  if (bytes < OWN_MEMORY_BYTES) return Buffer.allocUnsafe(bytes);
  const memory = memoryOf(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
  if (memory === spare) spare = new ArrayBuffer(0);
  return Buffer.from(memory, 0, bytes);
}

const memoryOf = (bytes: number): ArrayBuffer => (spare.byteLength >= bytes ? spare : new ArrayBuffer(bytes));

function inSpareMemory(codec: Codec, bytes: Uint8Array): Buffer | null {
  if (codec.decodeInto === undefined) return null;
  const memory = memoryOf(memoryBytes(bytes.length));
  const length = codec.decodeInto(bytes, new Uint8Array(memory));
  if (length === null) return null;
  if (memory === spare) spare = new ArrayBuffer(0);
  return Buffer.from(memory, 0, length);
}

function inNewMemory(codec: Codec, bytes: Uint8Array): Buffer | null {
  const { text, length } = codec.decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
  return length === bytes.length ? Buffer.from(text.buffer, text.byteOffset, text.length) : null;
}

/** Gives back the memory of a text, wherever it is from. Nobody may read it after that. */
export function freeText({ buffer, length }: Buffer): void {
  if (length < OWN_MEMORY_BYTES || !(buffer instanceof ArrayBuffer)) return;
  const [kept, other] = buffer.byteLength > spare.byteLength ? [buffer, spare] : [spare, buffer];
  other.transfer(0);
  spare = kept;
}
