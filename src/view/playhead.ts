import type { ViewClock } from "./lapse.ts";

/** A place on the timeline that goes on by itself, `speed` times as fast as the clock. */
export class Playhead {
  readonly #clock: ViewClock;
  #speed: number;
  #isRunning = false;
  #place_ms = 0;
  #placedAt_ms: number;

  constructor(clock: ViewClock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
    this.#placedAt_ms = clock.now();
  }

  get place_ms(): number {
    if (!this.#isRunning) return this.#place_ms;
    return this.#place_ms + (this.#clock.now() - this.#placedAt_ms) * this.#speed;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.put(this.place_ms);
    this.#speed = speed;
  }

  put(place_ms: number): void {
    this.#place_ms = place_ms;
    this.#placedAt_ms = this.#clock.now();
  }

  run(): void {
    this.put(this.place_ms);
    this.#isRunning = true;
  }

  hold(): void {
    this.put(this.place_ms);
    this.#isRunning = false;
  }

  /** How long it takes to a place, by the clock. */
  wait_ms(place_ms: number): number {
    return Math.max(0, (place_ms - this.place_ms) / this.#speed);
  }
}
