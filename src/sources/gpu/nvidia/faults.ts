import { OWN_FAULT_STATUS } from "./nvml/messages.ts";
import type { Fault } from "./way.ts";

/** Why a helper is killed, and what that says of the library in it. */

const HUNG = "has not answered";
export const hung = (limit_ms: number): string => `${HUNG} for ${Math.round(limit_ms / 100) / 10} s`;

const isCrash = (why: string): boolean => why.startsWith("crashed");
const isHang = (why: string): boolean => why.startsWith(HUNG);

/** From why the helper ended while it called the library, what that did; `null`: it was not the library. */
export function faultOf(why: string): Fault | null {
  if (isHang(why)) return "hung";
  const [, status] = /^ended with status (\d+)/.exec(why) ?? [];
  return isCrash(why) || (status !== undefined && Number(status) !== OWN_FAULT_STATUS) ? "crashed" : null;
}

/** For people. */
export function sentenceOf(why: string): string {
  const isLibrary = isCrash(why) || isHang(why) || why.startsWith("was not initialized");
  return `${isLibrary ? "the driver's library" : "the process that reads it"} ${why}`;
}
