import { describe, NO_PERMISSION } from "./returns.ts";

/** So long it is told what a card has denied from the start: not only in one reading, which nobody may have kept. */
const DENIED_TOLD_MS = 10_000;

/** Calls that failed, by the code that they answered with. */
class Tally {
  readonly #failed = new Map<number, { readonly first: string; calls: number }>();

  get size(): number {
    return this.#failed.size;
  }

  add(name: string, code: number): void {
    const known = this.#failed.get(code);
    if (known) known.calls++;
    else this.#failed.set(code, { first: name, calls: 1 });
  }

  clear(): void {
    this.#failed.clear();
  }

  has(code: number): boolean {
    return this.#failed.has(code);
  }

  /** `unknown error (8 calls, nvmlDeviceGetName first)`, for each code. */
  get words(): string[] {
    return [...this.#failed].map(([code, { first, calls }]) => {
      const which = calls === 1 ? first : `${calls} calls, ${first} first`;
      return `${describe(code)} (${which})`;
    });
  }
}

/** What went wrong with the calls for one card: however many they are, it is one sentence. */
export class Complaints {
  readonly #place: string;
  readonly #failed = new Tally();
  readonly #denied = new Tally();
  #deniedUntil_ms: number | null = null;
  #count = 0;

  /** `place` is what people call the card: `GPU 3`. */
  constructor(place: string) {
    this.#place = place;
  }

  /** How many calls failed, ever. */
  get count(): number {
    return this.#count;
  }

  /** A call that will be made again. */
  failed(name: string, code: number): void {
    this.#count++;
    this.#failed.add(name, code);
  }

  /** A call that is not made again, as it was not permitted from the start. */
  denied(name: string): void {
    this.#denied.add(name, NO_PERMISSION);
  }

  /** The sentence about what failed since the last time, and about what was denied at the start; `null`: nothing. */
  take(monotonic_ms: number): string | null {
    if (this.#failed.size + this.#denied.size === 0) return null;
    const words = [...this.#failed.words, ...this.#deniedWords(monotonic_ms)];
    this.#failed.clear();
    return words.length > 0 ? `${this.#place}: ${words.join("; ")}` : null;
  }

  #deniedWords(monotonic_ms: number): string[] {
    if (this.#denied.size === 0 || this.#failed.has(NO_PERMISSION)) return [];
    this.#deniedUntil_ms ??= monotonic_ms + DENIED_TOLD_MS;
    return monotonic_ms <= this.#deniedUntil_ms ? this.#denied.words : [];
  }
}
