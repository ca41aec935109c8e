import { cc, type FFIFunction, FFIType, linkSymbols } from "bun:ffi";
import { definition, type NativeFunctions } from "../src/sources/gpu/nvidia/nvml/library.ts";
import { FUNCTION_NAMES } from "../src/sources/gpu/nvidia/nvml/signatures.ts";

/**
 * The functions of a library in C source, compiled in memory: for tests in one process, which need no C compiler then. The
 * source exports `symbol`, which answers with the address of a function, or NULL.
 */
export function openSource(path: string): NativeFunctions {
  const { symbol } = cc({
    source: path,
    symbols: { symbol: { args: [FFIType.cstring], returns: FFIType.ptr } },
  }).symbols;
  const found: Record<string, FFIFunction> = {};
  for (const name of FUNCTION_NAMES) {
    const address = symbol(Buffer.from(`${name}\0`));
    if (address !== null) found[name] = { ...definition(name), ptr: address };
  }
  return linkSymbols(found).symbols as unknown as NativeFunctions;
}
