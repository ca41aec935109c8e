/** What a reader takes at most from a recording, which is untrusted input; docs/format.md lists them. */

/** A longer line is skipped and counted. */
export const MAX_LINE_BYTES = 16 << 20;

/** A unit with more text is decoded in a stream and not held: the most that a hostile one can make us hold. */
export const MAX_UNIT_TEXT_BYTES = 64 << 20;

/** The text at which a block ends, so that big frames seek as fast as small ones. */
export const BLOCK_TEXT_BYTES = 8 << 20;

/** Blocks of the first versions ended at 16 MiB; the last line may be a long one. */
export const LARGEST_BLOCK_TEXT_BYTES = (16 << 20) + MAX_LINE_BYTES;

/** What a block takes as stored, where it does not compress at all. */
export const MAX_BLOCK_BYTES = LARGEST_BLOCK_TEXT_BYTES + (1 << 20);

/** A block ends after a frame whose `seq` is a multiple of this. */
export const BLOCK_FRAMES = 1000;

/** The one rule by which a recorder ends blocks, and by which a reader finds them again that has no index. */
export const endsBlock = (seq: number, frames: number): boolean => seq > 0 && seq % frames === 0;

/** Index lines from one that repeats the summaries since to the next. */
export const SUMMARY_EVERY = 64;

export const MAX_HEADER_HOSTS = 1024;

/** Of zstd: 128 MiB. */
export const WINDOW_LOG_MAX = 27;

/** Events that the summary of a block lists. */
export const MAX_BLOCK_EVENTS = 64;

/** From here on a unit is a block, smaller ones may be index lines. */
const BLOCK_BYTES = 64 << 10;

/**
 * A block of our frames decodes to some 40 times its size, an index line to 8 times. Decoded into one buffer that holds
 * all of it nothing is put together from pieces, which costs as much as decoding, and twice the memory. Pages of a buffer
 * that are not touched cost nothing, but a large one makes the engine collect garbage.
 */
export const outputChunkBytes = (encodedBytes: number): number =>
  Math.min(Math.max(encodedBytes * (encodedBytes < BLOCK_BYTES ? 8 : 64), 64 << 10), LARGEST_BLOCK_TEXT_BYTES);
