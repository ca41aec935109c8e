import { cc, type FFIFunction, FFIType, linkSymbols } from "bun:ffi";
import { readFileSync } from "node:fs";
import { definition, type NativeFunctions, openLibrary } from "./library.ts";
import { FUNCTION_NAMES } from "./signatures.ts";

/**
 * A library in C source, as the tests have: compiled in memory, so that no compiler has to be there. It may export
 * `symbol`, which answers with the address of a function, or NULL; without it has those that its text names. Throws
 * NvmlUnavailable.
 */
export const openSource = (path: string | undefined): NativeFunctions => openLibrary(path, compile);

function compile(path: string): NativeFunctions {
  const text = readFileSync(path, "utf8");
  if (/\bsymbol\s*\(/.test(text)) return compileWithResolver(path);
  const named = FUNCTION_NAMES.filter((name) => new RegExp(`\\b${name}\\s*\\(`).test(text));
  const symbols = Object.fromEntries(named.map((name) => [name, definition(name)]));
  return cc({ source: path, symbols }).symbols as unknown as NativeFunctions;
}

function compileWithResolver(path: string): NativeFunctions {
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
