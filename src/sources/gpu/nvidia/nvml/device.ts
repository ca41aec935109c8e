import type { Complaints } from "./complaints.ts";
import type { NativeMemory } from "./memory.ts";
import { isInstance } from "./messages.ts";
import type { Nvml } from "./nvml.ts";
import {
  describe,
  FUNCTION_NOT_FOUND,
  GPU_NOT_FOUND,
  isCardLost,
  isFailure,
  isFinal,
  NO_PERMISSION,
  SUCCESS,
} from "./returns.ts";
import type { FunctionName } from "./signatures.ts";

/** The card does not answer any more; the message says why. */
export class CardLost extends Error {}

/** Where the two numbers stand that a function writes to two pointers, and the next two. */
export const FIRST = 0;
export const SECOND = 8;
export const THIRD = 16;
export const FOURTH = 24;

/** One handle of the library: a card or a MIG instance. What it does not support is asked for once. */
export class Device {
  readonly handle: number;
  /** What a call writes to. */
  readonly out: NativeMemory;
  /** Of an instance, those of its card. */
  readonly complaints: Complaints;
  /** `GPU-…` or `MIG-…`; before it is known, the place: `PCI-0000:06:00.0`, or else `GPU 3`. */
  uuid: string;
  /** It was read once: what it does not permit from now on it did permit, and may again. */
  isSettled = false;
  readonly #nvml: Nvml;
  readonly #refused = new Map<FunctionName, Set<number>>();

  constructor(nvml: Nvml, handle: number, uuid: string, complaints: Complaints) {
    this.#nvml = nvml;
    this.out = nvml.out;
    this.handle = handle;
    this.uuid = uuid;
    this.complaints = complaints;
  }

  has(name: FunctionName): boolean {
    return this.#nvml.has(name);
  }

  /** Asks again for everything: what is supported depends on the mode that the card is in. */
  forgetRefusals(): void {
    this.#refused.clear();
    this.isSettled = false;
  }

  /**
   * Calls a function with this handle before the other arguments. `part` tells apart what one function is asked for:
   * the card may support one and not the other. What is not permitted is told. Throws {@link CardLost}.
   */
  call(name: FunctionName, part: number, a: number, b?: number, c?: number, d?: number): number {
    if (this.#refused.get(name)?.has(part)) return FUNCTION_NOT_FOUND;
    const code = this.#nvml.call(name, this.uuid, this.handle, a, b, c, d);
    if (code === SUCCESS) return code;
    // An instance may go, and its card stay.
    if (isCardLost(code) && !(code === GPU_NOT_FOUND && isInstance(this.uuid))) throw new CardLost(describe(code));
    if (code === NO_PERMISSION) this.denied(name);
    if (this.isRefusal(code)) this.#refuse(name, part);
    return code;
  }

  /** Whether a code says that there is no use in asking again. */
  isRefusal(code: number): boolean {
    return isFinal(code) || (code === NO_PERMISSION && !this.isSettled);
  }

  #refuse(name: FunctionName, part: number): void {
    const parts = this.#refused.get(name) ?? new Set();
    this.#refused.set(name, parts.add(part));
  }

  /** Calls as `call`; whether there is an answer. What went wrong is told. */
  reads(name: FunctionName, part: number, a: number, b?: number, c?: number, d?: number): boolean {
    const code = this.call(name, part, a, b, c, d);
    this.tell(name, code);
    return code === SUCCESS;
  }

  /** Tells of a call that failed; what there just is no value for is no failure. */
  tell(name: FunctionName, code: number): void {
    if (isFailure(code)) this.complaints.failed(name, code);
  }

  /** Tells of a call that is not permitted. */
  denied(name: FunctionName): void {
    if (this.isSettled) this.complaints.failed(name, NO_PERMISSION);
    else this.complaints.denied(name);
  }

  /** The unsigned int that a function writes; so the next ones. */
  unsigned(name: FunctionName): number | null {
    return this.reads(name, 0, this.out.address) ? this.out.known32(FIRST) : null;
  }

  /** Of a function that is told by a number what is wanted. */
  unsignedOf(name: FunctionName, which: number): number | null {
    return this.reads(name, which, which, this.out.address) ? this.out.known32(FIRST) : null;
  }

  /** Of a function that writes a second number, which stands at {@link SECOND}. */
  pair(name: FunctionName): number | null {
    return this.reads(name, 0, this.out.address, this.out.address + SECOND) ? this.out.known32(FIRST) : null;
  }

  text(name: FunctionName, maxBytes: number): string | null {
    return this.reads(name, 0, this.out.address, maxBytes) ? this.out.text(0, maxBytes) || null : null;
  }
}
