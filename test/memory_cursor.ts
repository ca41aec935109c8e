import type { DetectedEvent } from "../src/events/event.ts";
import type { Frame } from "../src/frame/frame.ts";
import { eachPoint } from "../src/frame/points.ts";
import {
  type Cursor,
  type CursorRange,
  type EnvelopeColumn,
  type History,
  Overtaken,
  type Position,
} from "../src/recording/cursor.ts";

/** A cursor over frames in memory, whose `elapsed_ms` are their places. A move can be made to take its time. */
export class MemoryCursor implements Cursor {
  analysed = 1;
  readonly frames: Frame[];
  readonly skipped = new Map<string, number>();
  readonly refused = null;
  isEnded = false;
  /** How much is known, 0 to 1. */
  scanned = 1;
  foundEvents: DetectedEvent[] = [];
  readonly refusedKinds = new Map<string, number>();
  progress: number | null = null;
  /** What every move waits for. */
  gate: Promise<void> = Promise.resolve();
  /** Moves done, by name. */
  readonly done: string[] = [];
  #at: number | null = null;
  #move = 0;
  #listeners = new Set<() => void>();

  constructor(frames: readonly Frame[]) {
    this.frames = [...frames];
  }

  #position(ordinal: number): Position {
    const frame = this.frames[ordinal];
    if (frame === undefined) throw new RangeError(`no frame ${ordinal}`);
    return { frame, ordinal, place_ms: frame.elapsed_ms ?? 0 };
  }

  get current(): Position | null {
    return this.#at === null ? null : this.#position(this.#at);
  }

  get range(): CursorRange {
    const [first, last] = [this.frames[0], this.frames.at(-1)];
    return {
      first_t_ms: first?.t_ms ?? 0,
      last_t_ms: last?.t_ms ?? 0,
      first_place_ms: first?.elapsed_ms ?? 0,
      last_place_ms: last?.elapsed_ms ?? 0,
      frames: this.frames.length,
      scanned: this.scanned,
    };
  }

  get lowest_t_ms(): number {
    return Math.min(...this.frames.map(({ t_ms }) => t_ms));
  }

  get nextPlace_ms(): number | null {
    return this.frames[(this.#at ?? -1) + 1]?.elapsed_ms ?? null;
  }

  async #go(name: string, find: () => number): Promise<Position | null> {
    const move = ++this.#move;
    await this.gate;
    if (move !== this.#move) throw new Overtaken();
    const ordinal = find();
    if (this.frames[ordinal] === undefined) return null;
    this.#at = ordinal;
    this.done.push(name);
    return this.#position(ordinal);
  }

  next(): Promise<Position | null> {
    return this.#go("next", () => (this.#at ?? -1) + 1);
  }

  previous(): Promise<Position | null> {
    return this.#go("previous", () => (this.#at ?? 0) - 1);
  }

  seek(place_ms: number): Promise<Position | null> {
    const isReached = ({ elapsed_ms }: Frame) => (elapsed_ms ?? 0) <= place_ms;
    return this.#go(`seek ${Math.round(place_ms)}`, () => Math.max(0, this.frames.findLastIndex(isReached)));
  }

  #firstOrLast(isIt: (frame: Frame) => boolean): number {
    const found = this.frames.findIndex(isIt);
    return found < 0 ? this.frames.length - 1 : found;
  }

  seekWall(t_ms: number): Promise<Position | null> {
    return this.#go("seekWall", () => this.#firstOrLast((frame) => frame.t_ms >= t_ms));
  }

  seekTo(seq: number): Promise<Position | null> {
    return this.#go("seekTo", () => this.#firstOrLast((frame) => (frame.seq ?? 0) >= seq));
  }

  first(): Promise<Position | null> {
    return this.#go("first", () => 0);
  }

  last(): Promise<Position | null> {
    return this.#go("last", () => this.frames.length - 1);
  }

  cancel(): void {
    this.#move++;
  }

  history(length: number): History {
    const last = this.frames.slice(0, (this.#at ?? -1) + 1).slice(-length);
    const series = new Map<string, Float32Array>();
    const empty = new Float32Array(last.length).fill(Number.NaN);
    for (const [n, frame] of last.entries()) {
      eachPoint(frame, (key, value) => {
        let points = series.get(key);
        if (points === undefined) {
          points = empty.slice();
          series.set(key, points);
        }
        points[n] = value;
      });
    }
    return { length: last.length, isComplete: true, series: (key) => series.get(key) ?? empty };
  }

  envelope(columns: number): readonly (EnvelopeColumn | null)[] {
    return Array.from({ length: columns }, () => null);
  }

  events(): readonly DetectedEvent[] {
    return this.foundEvents;
  }

  refusedConditions(): ReadonlyMap<string, number> {
    return this.refusedKinds;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells that something has changed. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  append(...frames: readonly Frame[]): void {
    this.frames.push(...frames);
    this.changed();
  }

  close(): void {
    this.#listeners.clear();
  }
}
