import type { Frame } from "../frame/frame.ts";
import { eachPoint } from "../frame/points.ts";

const CHUNK_FRAMES = 256;
/** All series of all chunks together: 16 MiB. */
const MAX_VALUES = 4 << 20;
/** Those of a frame of more than three thousand GPUs. Where there are more, the rest is not kept. */
const MAX_SERIES = 4096;

interface Chunk {
  readonly number: number;
  readonly isKnown: Uint8Array;
  readonly series: Map<string, Float32Array>;
}

/**
 * The numbers of frames, kept when the frames themselves are not: by the frame's ordinal, in chunks of which the one
 * farthest from where the playhead is goes first.
 */
export class PointStore {
  readonly #chunks = new Map<number, Chunk>();
  #values = 0;

  has(ordinal: number): boolean {
    return this.#chunks.get(Math.floor(ordinal / CHUNK_FRAMES))?.isKnown[ordinal % CHUNK_FRAMES] === 1;
  }

  /** Takes a frame's numbers, unless there is no room for them that near to the playhead. */
  add(ordinal: number, frame: Frame, playhead: number): void {
    if (this.has(ordinal)) return;
    const chunk = this.#chunk(Math.floor(ordinal / CHUNK_FRAMES));
    const at = ordinal % CHUNK_FRAMES;
    chunk.isKnown[at] = 1;
    eachPoint(frame, (key, value) => {
      let values = chunk.series.get(key);
      if (values === undefined) {
        if (chunk.series.size >= MAX_SERIES) return;
        values = new Float32Array(CHUNK_FRAMES).fill(Number.NaN);
        chunk.series.set(key, values);
        this.#values += CHUNK_FRAMES;
      }
      values[at] = value;
    });
    this.#evict(Math.floor(playhead / CHUNK_FRAMES));
  }

  /** Values of a series from `ordinal` on, which may lie before the first frame; NaN where they are unknown. */
  read(key: string, ordinal: number, into: Float32Array): void {
    into.fill(Number.NaN);
    for (let n = Math.max(0, -ordinal); n < into.length; ) {
      const at = (ordinal + n) % CHUNK_FRAMES;
      const count = Math.min(CHUNK_FRAMES - at, into.length - n);
      const values = this.#chunks.get(Math.floor((ordinal + n) / CHUNK_FRAMES))?.series.get(key);
      if (values !== undefined) into.set(values.subarray(at, at + count), n);
      n += count;
    }
  }

  /** Forgets everything: the ordinals mean other frames now. */
  clear(): void {
    this.#chunks.clear();
    this.#values = 0;
  }

  #chunk(number: number): Chunk {
    const chunk = this.#chunks.get(number) ?? {
      number,
      isKnown: new Uint8Array(CHUNK_FRAMES),
      series: new Map<string, Float32Array>(),
    };
    this.#chunks.set(number, chunk);
    return chunk;
  }

  #evict(playhead: number): void {
    while (this.#values > MAX_VALUES && this.#chunks.size > 1) {
      const distances = [...this.#chunks.values()].map((chunk) => ({ chunk, by: Math.abs(chunk.number - playhead) }));
      const { chunk } = distances.reduce((farthest, one) => (one.by > farthest.by ? one : farthest));
      this.#chunks.delete(chunk.number);
      this.#values -= chunk.series.size * CHUNK_FRAMES;
    }
  }
}
