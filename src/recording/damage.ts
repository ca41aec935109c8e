import { errorCode } from "../errors.ts";

/** What is said of a unit that may be sound, but has more text than was to be held. */
export const TOO_MUCH_TEXT = "it has too much text";

/** Why a decoder failed. */
export const damageOf = (error: unknown): string =>
  errorCode(error) === "ERR_BUFFER_TOO_LARGE" ? TOO_MUCH_TEXT : String(error);
