import type { Fault } from "./way.ts";

/** Why a helper is killed, and what that says of the library in it. */

const HUNG = "has not answered";
export const hung = (limit_ms: number): string => `${HUNG} for ${Math.round(limit_ms / 100) / 10} s`;

/** From why the helper ended, what the library did; `null`: it was not the library. */
export function faultOf(why: string): Fault | null {
  if (why.startsWith("crashed")) return "crashed";
  return why.startsWith(HUNG) ? "hung" : null;
}

/** For people. */
export function sentenceOf(why: string): string {
  const isLibrary = faultOf(why) !== null || why.startsWith("was not initialized");
  return `${isLibrary ? "the driver's library" : "the process that reads it"} ${why}`;
}
