import type { Frame } from "../frame/frame.ts";

/** Frames that wait for the disk take this much memory at most, reckoned by the length of their lines. */
const MAX_WAITING_BYTES = 32 << 20;
const MOST_WAITING = 256;
const FEWEST_WAITING = 4;

/** The frames between the sampler, which never waits, and the disk, which may. Bounded; counts what it drops. */
export class FrameQueue {
  readonly #frames: Frame[] = [];
  #isClosed = false;
  #wake: (() => void) | null = null;
  #droppedSince = 0;
  #droppedBefore = 0;
  /** The length of a line, of late; the caller tells. */
  frameBytes = 1;

  push(frame: Frame): void {
    const room = Math.max(FEWEST_WAITING, Math.min(MOST_WAITING, MAX_WAITING_BYTES / this.frameBytes));
    if (this.#frames.length >= room) this.#droppedSince++;
    else this.#frames.push(frame);
    this.#wake?.();
  }

  /** The next frame, when there is one; `null` when the queue was closed and is empty. */
  async next(): Promise<Frame | null> {
    while (this.#frames.length === 0 && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#frames.shift() ?? null;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** Dropped since a frame last said so. */
  get droppedSince(): number {
    return this.#droppedSince;
  }

  /** Dropped in all. */
  get dropped(): number {
    return this.#droppedBefore + this.#droppedSince;
  }

  /** A frame has said that `count` were dropped. */
  saidDropped(count: number): void {
    this.#droppedBefore += count;
    this.#droppedSince -= count;
  }
}
