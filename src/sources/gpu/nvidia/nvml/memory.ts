import { ptr } from "bun:ffi";

const TWO_32 = 2 ** 32;
const ALL_ONES = 0xffff_ffff;

/**
 * Memory that the library writes to and reads from, at an address that stays. Offsets are in bytes and fall on multiples
 * of what is read there, as in the structures of C.
 */
export class NativeMemory {
  readonly address: number;
  readonly lengthBytes: number;
  readonly #bytes: Uint8Array;
  readonly #shorts: Uint16Array;
  readonly #words: Uint32Array;
  readonly #integers: Int32Array;
  readonly #doubles: Float64Array;

  constructor(atLeastBytes: number) {
    const buffer = new ArrayBuffer(Math.ceil(atLeastBytes / 8) * 8);
    this.#bytes = new Uint8Array(buffer);
    this.#shorts = new Uint16Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#integers = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.address = ptr(this.#bytes);
    this.lengthBytes = buffer.byteLength;
  }

  u16(offset: number): number {
    return this.#shorts[offset >> 1] ?? 0;
  }

  u32(offset: number): number {
    return this.#words[offset >> 2] ?? 0;
  }

  i32(offset: number): number {
    return this.#integers[offset >> 2] ?? 0;
  }

  f64(offset: number): number {
    return this.#doubles[offset >> 3] ?? 0;
  }

  /** Exact up to 2^53, as addresses and all counts of bytes are. */
  u64(offset: number): number {
    return this.u32(offset + 4) * TWO_32 + this.u32(offset);
  }

  /** `null`: all bits are set, as the library writes it where it has no value (`NVML_VALUE_NOT_AVAILABLE`). */
  known32(offset: number): number | null {
    const value = this.u32(offset);
    return value === ALL_ONES ? null : value;
  }

  /** As {@link known32}. */
  known64(offset: number): number | null {
    return this.u32(offset) === ALL_ONES && this.u32(offset + 4) === ALL_ONES ? null : this.u64(offset);
  }

  setU32(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
  }

  setU64(offset: number, value: number): void {
    this.setU32(offset, value % TWO_32);
    this.setU32(offset + 4, value / TWO_32);
  }

  /** The characters up to the first NUL. */
  text(offset: number, maxBytes: number): string {
    const end = this.#bytes.indexOf(0, offset);
    const stop = end < 0 || end > offset + maxBytes ? offset + maxBytes : end;
    return new TextDecoder().decode(this.#bytes.subarray(offset, stop));
  }
}
