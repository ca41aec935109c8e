import { type Cursor, Overtaken } from "../recording/cursor.ts";

/** Moves the cursor. Aborted when the move is given up: for those that wait for something else than the cursor. */
export type Move = (givenUp: AbortSignal) => Promise<void>;

/**
 * Has one move of a cursor under way at a time. Steps follow each other; of the seeks that wait only the latest is
 * done (dragging asks for many), and one that takes long is given up for it.
 */
export class Moves {
  readonly #cursor: Cursor;
  readonly #onIdle: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #steps: Move[] = [];
  #seek: Move | null = null;
  #isBusy = false;
  #isSeeking = false;
  #current = new AbortController();

  /** `onIdle` is called when nothing is left to do, `onError` with what a move failed of. */
  constructor(cursor: Cursor, onIdle: () => void, onError: (error: unknown) => void) {
    this.#cursor = cursor;
    this.#onIdle = onIdle;
    this.#onError = onError;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether a seek waits or is under way. */
  get isSeeking(): boolean {
    return this.#isSeeking || this.#seek !== null;
  }

  step(move: Move): void {
    this.#steps.push(move);
    this.#start();
  }

  seek(move: Move): void {
    this.#steps.length = 0;
    this.#seek = move;
    this.#current.abort();
    this.hurry();
    this.#start();
  }

  /** Gives up what takes long if a seek waits for it to end. */
  hurry(): void {
    if (this.#seek !== null && this.#cursor.progress !== null) this.#cursor.cancel();
  }

  cancel(): void {
    this.#steps.length = 0;
    this.#seek = null;
    this.#current.abort();
    this.#cursor.cancel();
  }

  #start(): void {
    if (!this.#isBusy) this.#work().catch(this.#onError);
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let move = this.#take(); move !== null; move = this.#take()) {
      this.#current = new AbortController();
      await move(this.#current.signal).catch((error) => {
        if (!(error instanceof Overtaken)) this.#onError(error);
      });
      this.#isSeeking = false;
    }
    this.#isBusy = false;
    this.#onIdle();
  }

  #take(): Move | null {
    const step = this.#steps.shift();
    if (step !== undefined) return step;
    const seek = this.#seek;
    this.#seek = null;
    this.#isSeeking = seek !== null;
    return seek;
  }
}
