import { LAYOUTS } from "./layouts.ts";
import { type NativeFunctions, NvmlUnavailable } from "./library.ts";
import { NativeMemory } from "./memory.ts";
import { ANY_INSTANCE, excludedFor, isInstance, type UnavailableKind } from "./messages.ts";
import {
  DRIVER_NOT_LOADED,
  describe,
  EXCLUDED,
  FUNCTION_NOT_FOUND,
  isDriverGone,
  LIB_RM_VERSION_MISMATCH,
  LIBRARY_NOT_FOUND,
  NO_PERMISSION,
  SUCCESS,
} from "./returns.ts";
import type { FunctionName } from "./signatures.ts";

/** What a reading asks for besides the values. */
export interface CallOptions {
  /** Told of each call before it is made. */
  readonly announce?: (name: FunctionName, card: string | null) => void;
  /** What is not called, as messages.ts says. */
  readonly exclude?: ReadonlySet<string>;
}

/** Room for the text, the structure or the numbers that one call answers with. */
const SCRATCH_BYTES = LAYOUTS.nvmlGpmMetricsGet_t.size;

/** The library, initialized: every call into it goes through here. */
export class Nvml {
  /** What a call writes to; good until the next call. */
  readonly out = new NativeMemory(SCRATCH_BYTES);
  readonly #functions: NativeFunctions;
  /** `null` in nearly all readings. */
  #options: CallOptions | null = null;

  constructor(functions: NativeFunctions) {
    this.#functions = functions;
  }

  /** For the calls from now on. */
  configure(options: CallOptions | null): void {
    this.#options = options;
  }

  /** Throws {@link NvmlUnavailable}. May take long: without persistence mode each GPU is started for it. */
  initialize(): void {
    const code = this.call("nvmlInit_v2", null);
    if (code !== SUCCESS) throw unavailable("nvmlInit_v2", code);
  }

  shutdown(): void {
    this.call("nvmlShutdown", null);
  }

  /**
   * Calls a function, `card` being the one concerned; answers with its nvmlReturn_t, or, where the library has not this
   * function, as one would that is too old, and {@link EXCLUDED} of one that is not to be called. Throws
   * {@link NvmlUnavailable} once the driver is gone.
   */
  call(name: FunctionName, card: string | null, a?: number, b?: number, c?: number, d?: number, e?: number): number {
    const native = this.#functions[name];
    if (native === undefined) return FUNCTION_NOT_FOUND;
    if (this.#options !== null) {
      if (this.#isExcluded(name, card)) return EXCLUDED;
      this.#options.announce?.(name, card);
    }
    const code = native(a, b, c, d, e);
    if (code !== SUCCESS && isDriverGone(code)) throw unavailable(name, code);
    return code;
  }

  #isExcluded(name: FunctionName, card: string | null): boolean {
    const exclude = this.#options?.exclude;
    if (exclude === undefined || exclude.size === 0) return false;
    if (card === null || exclude.has(name)) return exclude.has(name);
    return exclude.has(excludedFor(name, card)) || (isInstance(card) && exclude.has(excludedFor(name, ANY_INSTANCE)));
  }

  has(name: FunctionName): boolean {
    return this.#functions[name] !== undefined;
  }
}

const KINDS: Readonly<Record<number, UnavailableKind>> = {
  [NO_PERMISSION]: "no_permission",
  [DRIVER_NOT_LOADED]: "no_driver",
  [LIBRARY_NOT_FOUND]: "no_library",
  [LIB_RM_VERSION_MISMATCH]: "version_mismatch",
};

/** What a call that nothing can be read without answered. */
export const unavailable = (name: FunctionName, code: number): NvmlUnavailable =>
  new NvmlUnavailable(KINDS[code] ?? "failed", `${name}: ${describe(code)}`);
