const FIRST_BYTES = 64 << 10;

/** Longer bodies are rare, and their room is not kept. */
const KEPT_BYTES = 1 << 20;

/**
 * Puts a body together. The room is used again for the next one: that of a hundred hosts, got from the system and given
 * back in every cycle, costs more CPU than all of their JSON.
 */
export class Body {
  #room = Buffer.alloc(0);
  #length = 0;

  add(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#room.length) this.#grow(Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(needed))));
    this.#room.set(bytes, this.#length);
    this.#length = needed;
  }

  /** The body as text; the next one begins. */
  take(): string {
    const text = this.#room.toString("utf8", 0, this.#length);
    this.clear();
    return text;
  }

  /** So many of the first bytes, as text; a byte a character. */
  start(most: number): string {
    return this.#room.toString("latin1", 0, Math.min(most, this.#length));
  }

  /** The body as it is, for as long as nothing is added; the next one begins. */
  takeBytes(): Uint8Array {
    const bytes = this.#room.subarray(0, this.#length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#length = 0;
    if (this.#room.length > KEPT_BYTES) this.#room = Buffer.alloc(0);
  }

  #grow(size: number): void {
    const room = Buffer.alloc(size);
    room.set(this.#room.subarray(0, this.#length));
    this.#room = room;
  }
}
