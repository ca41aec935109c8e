import { saidSeverity, severities } from "../../../frame/severity.ts";
import type { Finding, Rule } from "./rule.ts";

/**
 * `EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x… …)`: errors of the
 * machine's memory that were corrected (CE) or not (UE).
 */
const MEMORY = /^EDAC MC\d{1,3}: (\d{1,9}) (CE|UE) (?:[\w .,/()-]{0,80} )?on ([\w#.,:/ -]{1,64}?) \(/;

/** `mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 4: b200000000070f0f` */
const CHECK =
  /^(?:mce: )?\[Hardware Error\]: CPU (\d{1,5}): Machine Check(?: Exception)?: [\da-f]{1,16} Bank (\d{1,3}): ([\da-f]{16})/;
/** Intel and AMD, machine check architecture, MCi_STATUS: the hardware did not correct it. */
const NOT_CORRECTED = 1n << 61n;

/** As the decoder of AMD's has it. */
const DECODED =
  /^(?:mce: )?\[Hardware Error\]: (Corrected error|Deferred error|Uncorrected|Fatal error|System Fatal error)\b(.{0,80})/;

/**
 * What the firmware hands on, in its own words: `{1}[Hardware Error]: event severity: corrected`. Of errors of the PCIe
 * bus, and of memory where EDAC is at work, there are messages of their own.
 */
const HANDED_ON = /^\{\d{1,9}\}\[Hardware Error\]: +(?:event )?severity: (?:\d, )?(fatal|recoverable|corrected)/;
const OWN_MESSAGE = /: (?:AER: )?aer_status: 0x|^\{\d{1,9}\}\[Hardware Error\]: +section_type: PCIe|^EDAC MC\d/;
const LOOK_AHEAD = 24;

/** `Memory failure: 0x1a2b3c: recovery action for dirty LRU page: Recovered`; before 4.13 `MCE 0x1a2b3c: dirty LRU page recovery: Recovered`. */
const PAGE =
  /^(?:Memory failure: 0x[\da-f]{1,16}: recovery action for|MCE 0x[\da-f]{1,16}:) (.{1,60}?)(?: recovery)?: (Recovered|Failed|Ignored|Delayed)/;

type Level = "memory_corrected" | "memory_deferred" | "memory_uncorrected";

const WORDS: Readonly<Record<Level, string>> = {
  memory_corrected: "corrected",
  memory_deferred: "to be dealt with later",
  memory_uncorrected: "not corrected",
};

const machineCheck = (level: Level, what: string, words: string): Finding => ({
  kind: "mce",
  severity: saidSeverity(severities[level], words),
  pci: null,
  text: `hardware error${what}, ${WORDS[level]}`,
  burst: `mce ${level}${what}`,
});

function handedOn(messages: readonly string[], at: number): Finding | null {
  const [, level] = HANDED_ON.exec(messages[at] ?? "") ?? [];
  if (level === undefined) return null;
  if (messages.slice(at + 1, at + 1 + LOOK_AHEAD).some((message) => OWN_MESSAGE.test(message))) return null;
  const found = level === "corrected" ? "memory_corrected" : "memory_uncorrected";
  return machineCheck(found, ` told by the firmware (${level})`, level);
}

function decoded(message: string): Finding | null {
  const [, level = "", rest = ""] = DECODED.exec(message) ?? [];
  if (level === "") return null;
  const words = `${level}${rest}`;
  if (level.startsWith("Corrected")) return machineCheck("memory_corrected", "", words);
  return machineCheck(level.startsWith("Deferred") ? "memory_deferred" : "memory_uncorrected", "", words);
}

function memory(message: string): Finding | null {
  const [, count, type, where] = MEMORY.exec(message) ?? [];
  if (type === undefined) return null;
  const level = type === "CE" ? "memory_corrected" : "memory_uncorrected";
  const text = `errors of the machine's memory, ${WORDS[level]}: ${count} on ${where}`;
  return { kind: "ecc", severity: severities[level], pci: null, text, burst: `${type} ${where}` };
}

function page(message: string): Finding | null {
  const [, what, result] = PAGE.exec(message) ?? [];
  if (result === undefined) return null;
  const severity = result === "Failed" ? severities.memory_uncorrected : severities.memory_retired;
  const text = `a page of the machine's memory is bad (${what}): ${result.toLowerCase()}`;
  return { kind: "ecc", severity, pci: null, text, burst: `page ${result}` };
}

/** Errors of CPUs and of the machine's memory. */
export const machineCheckRule: Rule = (messages, at) => {
  const message = messages[at] ?? "";
  const [, cpu, bank, status] = CHECK.exec(message) ?? [];
  if (status === undefined) return memory(message) ?? decoded(message) ?? page(message) ?? handedOn(messages, at);
  const isCorrected = (BigInt(`0x${status}`) & NOT_CORRECTED) === 0n;
  return machineCheck(isCorrected ? "memory_corrected" : "memory_uncorrected", ` of CPU ${cpu}, bank ${bank}`, "");
};
