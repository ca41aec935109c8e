import { dlopen, type FFIFunction, FFIType } from "bun:ffi";
import type { UnavailableKind } from "./messages.ts";
import { FUNCTION_NAMES, type FunctionName, SIGNATURES } from "./signatures.ts";

/** A function of the library; those beyond what it takes are ignored. */
export type NativeFunction = (...args: readonly (number | undefined)[]) => number;

/** Those that this library has. */
export type NativeFunctions = Partial<Record<FunctionName, NativeFunction>>;

/** Nothing can be read by the library, now or at all. */
export class NvmlUnavailable extends Error {
  readonly kind: UnavailableKind;

  constructor(kind: UnavailableKind, message: string) {
    super(message);
    this.name = "NvmlUnavailable";
    this.kind = kind;
  }
}

/** As the loader finds it, then where distributions, containers and WSL put it outside of the loader's paths. */
export const LIBRARY_PATHS: readonly string[] = [
  "libnvidia-ml.so.1",
  "libnvidia-ml.so",
  "/usr/lib/wsl/lib/libnvidia-ml.so.1",
  "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
  "/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
  "/usr/lib64/libnvidia-ml.so.1",
  "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
  "/run/opengl-driver/lib/libnvidia-ml.so.1",
  "/usr/lib/nvidia/libnvidia-ml.so.1",
];

/** `chosen` is a path that the user names, and then the only one tried. Throws {@link NvmlUnavailable}. */
export function openLibrary(chosen: string | undefined): NativeFunctions {
  if (chosen) {
    try {
      return load(chosen);
    } catch (error) {
      throw new NvmlUnavailable("no_library", `ALL_SMI_NVML: ${sentence(error)}`);
    }
  }
  let first: unknown;
  for (const path of LIBRARY_PATHS) {
    try {
      return load(path);
    } catch (error) {
      first ??= error;
    }
  }
  throw new NvmlUnavailable("no_library", `no NVML library was found: ${sentence(first)}`);
}

const sentence = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 300);

const TYPES: Readonly<Record<string, FFIType>> = { p: FFIType.ptr, u: FFIType.u32, U: FFIType.u64 };

/** What a function takes and gives, as FFI wants it. */
export const definition = (name: FunctionName): FFIFunction => ({
  args: Array.from(SIGNATURES[name], (code) => TYPES[code] ?? FFIType.void),
  returns: FFIType.i32,
});

/** One by one: a symbol that is missing would fail all those asked for with it. */
function load(path: string): NativeFunctions {
  const functions: NativeFunctions = { nvmlInit_v2: loadOne(path, "nvmlInit_v2") };
  for (const name of FUNCTION_NAMES) {
    try {
      functions[name] ??= loadOne(path, name);
    } catch {}
  }
  return functions;
}

function loadOne(path: string, name: FunctionName): NativeFunction {
  const library = dlopen(path, { [name]: definition(name) });
  return library.symbols[name] as unknown as NativeFunction;
}
