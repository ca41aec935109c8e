import type { Cursor, CursorRange, Position } from "../recording/cursor.ts";
import { Lapse, type ViewClock } from "./lapse.ts";
import { Moves } from "./moves.ts";
import { GAP_PAUSE_MS, growthPatience_ms, isJumped, loopPause_ms, SHORTEST_FRAME_MS } from "./pace.ts";
import { Playhead } from "./playhead.ts";

export interface PlayerOptions {
  readonly speed: number;
  readonly isLoop: boolean;
  readonly isPlaying: boolean;
  /** Whether what comes in is shown as it comes, and not at the pace of playing. */
  readonly isLive: boolean;
  /** `null` where the recording does not say. */
  readonly interval_ms: number | null;
  readonly clock: ViewClock;
  /** Called when anything that is shown has changed. */
  readonly onChange: () => void;
  /** Called when playing jumps from one frame to the next. */
  readonly onJump: (distance_ms: number) => void;
  /** Called when the cursor failed. */
  readonly onError: (error: unknown) => void;
}

export type PlayerState = "playing" | "paused" | "end";

/**
 * Plays what a cursor goes through, at the recorded pace: a frame shows when the playhead reaches its place. The
 * playhead goes by the clock, so what cannot be shown in time is left out and nothing falls behind. At the end it
 * waits for what may yet be written.
 */
export class Player {
  readonly #cursor: Cursor;
  readonly #options: PlayerOptions;
  readonly #moves: Moves;
  readonly #playhead: Playhead;
  readonly #timer: Lapse;
  /** On while the recording grew not long ago. */
  readonly #growth: Lapse;
  readonly #stopListening: () => void;
  #shown: Position | null = null;
  #shownAt_ms = 0;
  #isPlaying: boolean;
  #isLoop: boolean;
  /** Whether playing has come to the last frame and goes on with whatever comes. */
  #isWaiting = false;
  #known: CursorRange;
  /** Whether all of it has been looked at at least once. */
  #isScanned: boolean;

  constructor(cursor: Cursor, options: PlayerOptions) {
    const { clock, speed } = options;
    this.#cursor = cursor;
    this.#options = options;
    this.#isPlaying = options.isPlaying;
    this.#isLoop = options.isLoop;
    this.#playhead = new Playhead(clock, speed);
    this.#timer = new Lapse(clock);
    this.#growth = new Lapse(clock);
    this.#known = cursor.range;
    this.#isScanned = this.#known.scanned >= 1;
    this.#moves = new Moves(cursor, () => this.#plan(), options.onError);
    this.#stopListening = cursor.onChange(() => this.#onCursor());
  }

  get shown(): Position | null {
    return this.#shown;
  }

  get speed(): number {
    return this.#playhead.speed;
  }

  set speed(speed: number) {
    this.#playhead.speed = speed;
    this.#plan();
  }

  get isLoop(): boolean {
    return this.#isLoop;
  }

  /** Whether it is on the way to another place. */
  get isTravelling(): boolean {
    return this.#moves.isSeeking;
  }

  get state(): PlayerState {
    const isWritten = this.#growth.isOn && !this.#cursor.isEnded;
    const goesOn = this.#options.isLive || isWritten || (this.#isPlaying && this.#isLoop);
    if (this.#isAtEnd && !goesOn) return "end";
    return this.#isPlaying ? "playing" : "paused";
  }

  /** Share of the recording that has been looked at; `null` once all was. What it grows by later is read in a moment. */
  get scanned(): number | null {
    return this.#isScanned ? null : this.#cursor.range.scanned;
  }

  get #isAtEnd(): boolean {
    return this.#isScanned && this.#shown !== null && this.#shown.place_ms >= this.#cursor.range.last_place_ms;
  }

  /** Where playing is on the timeline: at the frame that is shown, or on its way to the next. */
  get playhead_ms(): number {
    return this.#playhead.place_ms;
  }

  /** Space. At the end it begins again; live it goes back to now. */
  toggle(): void {
    const isOver = this.state === "end";
    this.#isPlaying = isOver || !this.#isPlaying;
    if (isOver) this.travel(() => this.#cursor.first());
    else if (this.#options.isLive && this.#isPlaying) this.travel(() => this.#cursor.last());
    else this.#plan();
  }

  pause(): void {
    this.#isPlaying = false;
    this.#plan();
  }

  toggleLoop(): void {
    this.#isLoop = !this.#isLoop;
    this.#plan();
  }

  /** One frame on or back; pauses. */
  step(direction: 1 | -1): void {
    this.pause();
    this.#moves.step(() => this.#go(direction > 0 ? this.#cursor.next() : this.#cursor.previous()));
  }

  /**
   * Goes elsewhere, and on from there: what was asked for before and is not done yet is given up. The playhead is put
   * at `place_ms` at once, so that further travel counts from there, or where that is null to the frame that is found.
   * The signal is aborted when the travel is given up.
   */
  travel(move: (givenUp: AbortSignal) => Promise<Position | null>, place_ms: number | null = null): void {
    this.#playhead.hold();
    this.#isWaiting = false;
    if (place_ms !== null) this.#playhead.put(place_ms);
    this.#moves.seek((givenUp) => this.#go(move(givenUp), place_ms));
    this.#plan();
  }

  /** Live: shows again what comes in. */
  follow(): void {
    this.#isPlaying = true;
    this.travel(() => this.#cursor.last());
  }

  /** Gives up what takes long, and stays. */
  cancel(): void {
    this.#moves.cancel();
    if (this.#shown !== null) this.#playhead.put(this.#shown.place_ms);
  }

  close(): void {
    this.#stopListening();
    this.#timer.stop();
    this.#growth.stop();
  }

  /** Shows what a move finds, and has the playhead there; between two frames where that was asked for. */
  async #go(move: Promise<Position | null>, place_ms: number | null = null): Promise<void> {
    const found = await move;
    if (found === null) return;
    const furthest_ms = Math.max(found.place_ms, this.#cursor.range.last_place_ms);
    this.#playhead.put(Math.min(Math.max(place_ms ?? 0, found.place_ms), furthest_ms));
    this.#show(found);
  }

  #show(position: Position): void {
    this.#shown = position;
    this.#isWaiting = false;
    this.#shownAt_ms = this.#options.clock.now();
    this.#options.onChange();
  }

  /** Sets when the next frame is due. */
  #plan(): void {
    this.#timer.stop();
    this.#options.onChange();
    if (!this.#isPlaying || this.#shown === null || this.#moves.isSeeking) this.#playhead.hold();
    else if (!this.#moves.isBusy) this.#planAfter(this.#shown, this.#cursor.nextPlace_ms);
  }

  #planAfter(shown: Position, next_ms: number | null): void {
    if (next_ms === null) {
      this.#waitAtEnd(shown);
    } else if (this.#isWaiting || this.#options.isLive) {
      this.#arrive();
    } else {
      this.#playhead.run();
      this.#timer.begin(this.#wait_ms(shown, next_ms), () => this.#advance(shown, next_ms));
    }
  }

  #arrive(): void {
    this.#moves.step(() => this.#go(this.#options.isLive ? this.#cursor.last() : this.#cursor.next()));
  }

  #wait_ms(shown: Position, next_ms: number): number {
    const since_ms = this.#options.clock.now() - this.#shownAt_ms;
    if (this.#isGap(shown, next_ms)) return GAP_PAUSE_MS - since_ms;
    return Math.max(SHORTEST_FRAME_MS - since_ms, this.#playhead.wait_ms(next_ms));
  }

  #isGap(shown: Position, next_ms: number): boolean {
    return isJumped(next_ms - shown.place_ms, this.#playhead.speed, this.#options.interval_ms);
  }

  #waitAtEnd(shown: Position): void {
    this.#isWaiting = true;
    this.#playhead.hold();
    this.#playhead.put(shown.place_ms);
    if (!this.#isLoop || !this.#isAtEnd) return;
    const pause_ms = loopPause_ms(this.#playhead.speed, this.#options.interval_ms);
    this.#timer.begin(pause_ms, () => this.travel(() => this.#cursor.first()));
  }

  #advance(shown: Position, next_ms: number): void {
    if (this.#isGap(shown, next_ms)) {
      this.#options.onJump(next_ms - shown.place_ms);
      this.#moves.step(() => this.#go(this.#cursor.next()));
    } else {
      this.#moves.step(() => this.#catchUp(shown, Math.max(next_ms, this.#playhead.place_ms)));
    }
  }

  /** To the frame that is due by now. The playhead runs on meanwhile. */
  async #catchUp(shown: Position, place_ms: number): Promise<void> {
    const due = await this.#cursor.seek(place_ms);
    const next = due !== null && due.ordinal > shown.ordinal ? due : await this.#cursor.next();
    if (next !== null) this.#show(next);
  }

  #onCursor(): void {
    const { range } = this.#cursor;
    const hasGrown = range.frames > this.#known.frames || range.last_place_ms > this.#known.last_place_ms;
    if (hasGrown && this.#isScanned) {
      this.#growth.begin(growthPatience_ms(this.#options.interval_ms), this.#options.onChange);
    }
    this.#known = range;
    this.#isScanned ||= range.scanned >= 1;
    this.#moves.hurry();
    if (hasGrown && this.#shown === null && this.#isPlaying) this.#arrive();
    else if (hasGrown) this.#plan();
    else this.#options.onChange();
  }
}
