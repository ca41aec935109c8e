import { errorCode } from "../errors.ts";

/** What is said of a unit that may be sound, but has more text than was to be held. */
export const TOO_MUCH_TEXT = "it has too much text";

/** Why a decoder failed, in its words. */
export function damageOf(error: unknown): string {
  if (errorCode(error) === "ERR_BUFFER_TOO_LARGE") return TOO_MUCH_TEXT;
  return error instanceof Error ? error.message : String(error);
}
