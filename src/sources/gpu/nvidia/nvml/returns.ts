/** nvmlReturn_t, as far as one is treated unlike another. */
export const SUCCESS = 0;
const UNINITIALIZED = 1;
const INVALID_ARGUMENT = 2;
export const NOT_SUPPORTED = 3;
export const NO_PERMISSION = 4;
const NOT_FOUND = 6;
export const INSUFFICIENT_SIZE = 7;
export const DRIVER_NOT_LOADED = 9;
export const TIMEOUT = 10;
export const LIBRARY_NOT_FOUND = 12;
export const FUNCTION_NOT_FOUND = 13;
const GPU_IS_LOST = 15;
const RESET_REQUIRED = 16;
export const OPERATING_SYSTEM = 17;
export const LIB_RM_VERSION_MISMATCH = 18;
const NO_DATA = 21;
const ARGUMENT_VERSION_MISMATCH = 25;
const DEPRECATED = 26;
const NOT_READY = 27;
export const GPU_NOT_FOUND = 28;
/** None of the library's: the call was not made. */
export const EXCLUDED = -1;

/** What a code means, as the end of a sentence. */
const WORDS: Readonly<Record<number, string>> = {
  1: "the library is not initialized",
  2: "invalid argument",
  3: "not supported",
  4: "no permission",
  6: "not found",
  7: "the buffer is too small",
  8: "the GPU's external power cables are not attached",
  9: "the NVIDIA driver is not loaded",
  10: "timed out",
  11: "the kernel found a problem with the GPU's interrupts",
  12: "a library that it needs was not found",
  13: "the driver is too old for this function",
  14: "the GPU's infoROM is corrupted",
  15: "GPU is lost",
  16: "GPU requires a reset",
  17: "the operating system blocks the GPU",
  18: "the library and the loaded driver are of different versions",
  19: "the GPU is in use",
  20: "not enough memory",
  21: "no data",
  23: "not enough resources",
  25: "another version of the argument is expected",
  26: "deprecated",
  27: "not ready",
  28: "GPU not found",
  29: "invalid state",
  999: "unknown error",
};

export const describe = (code: number): string => WORDS[code] ?? `error ${code}`;

/** This card will answer this function so each time, until the library is initialized anew or its mode is another. */
export const isFinal = (code: number): boolean =>
  code === NOT_SUPPORTED ||
  code === FUNCTION_NOT_FOUND ||
  code === INVALID_ARGUMENT ||
  code === ARGUMENT_VERSION_MISMATCH ||
  code === DEPRECATED;

/** There is nothing of what was asked for: of a list, that it is empty. */
export const isNothing = (code: number): boolean => code === NOT_FOUND || code === NO_DATA;

/** Nothing is wrong: there is just no value now. */
const isNoValue = (code: number): boolean => isNothing(code) || code === NOT_READY || code === EXCLUDED;

/** Something went wrong. {@link NO_PERMISSION} is not among them: whether it is to be told depends on what was before. */
export const isFailure = (code: number): boolean =>
  code !== SUCCESS && code !== NO_PERMISSION && !isFinal(code) && !isNoValue(code);

/** The card's, not one function's. */
export const isCardLost = (code: number): boolean =>
  code === GPU_IS_LOST || code === RESET_REQUIRED || code === GPU_NOT_FOUND;

/** The library's: a new process has to load it, perhaps another file of that name. */
export const isDriverGone = (code: number): boolean =>
  code === UNINITIALIZED || code === DRIVER_NOT_LOADED || code === LIB_RM_VERSION_MISMATCH;
