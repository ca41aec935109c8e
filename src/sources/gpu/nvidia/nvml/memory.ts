import { ptr } from "bun:ffi";

const TWO_32 = 2 ** 32;

/** Memory that the library writes to and reads from. Its address stays; little-endian, as all machines with NVML are. */
export class NativeMemory {
  readonly address: number;
  readonly lengthBytes: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(lengthBytes: number) {
    this.#bytes = new Uint8Array(lengthBytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.address = ptr(this.#bytes);
    this.lengthBytes = lengthBytes;
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  f64(offset: number): number {
    return this.#view.getFloat64(offset, true);
  }

  /** Exact up to 2^53, as addresses and all counts of bytes are. */
  u64(offset: number): number {
    return this.#view.getUint32(offset + 4, true) * TWO_32 + this.#view.getUint32(offset, true);
  }

  /** The value that NVML writes where it has none: all bits set. */
  isAllOnes64(offset: number): boolean {
    return this.u32(offset) === 0xffff_ffff && this.u32(offset + 4) === 0xffff_ffff;
  }

  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  setU64(offset: number, value: number): void {
    this.#view.setUint32(offset, value % TWO_32, true);
    this.#view.setUint32(offset + 4, value / TWO_32, true);
  }

  /** The characters up to the first NUL. */
  text(offset: number, maxBytes: number): string {
    const end = this.#bytes.indexOf(0, offset);
    const stop = end < 0 || end > offset + maxBytes ? offset + maxBytes : end;
    return Buffer.from(this.#bytes.buffer, offset, stop - offset).toString("utf8");
  }
}
