import { saidSeverity, severities } from "../../../frame/severity.ts";
import { type Finding, PCI, type Rule } from "./rule.ts";

const OF_DEVICE = new RegExp(`^(\\S{1,32}) (${PCI}): (?:AER: )?(.*)$`);
/** Kernels from 6.8 on say "correctable" where older ones say "corrected". */
const LEVEL = "(Correct|Uncorrect)(?:ed|able)(?: \\((Fatal|Non-Fatal)\\))?";
const ERROR = new RegExp(`^(?:PCIe|CXL) Bus Error: severity=${LEVEL}, type=([^,(]{1,40})`);
/** The port says that it heard of an error; what it is the device says, unless it cannot be asked. */
const HEARD = new RegExp(
  `^(?:Multiple )?${LEVEL} error (?:message )?received(?: from|:) (?:id=[\\da-f]{4}|(?:id=)?(${PCI})|.*)$`,
);
/** So far behind is what the device says of it. */
const LOOK_AHEAD = 3;
/** Where the firmware hears of errors first, the kernel lists what the firmware hands on. */
const FIRMWARE = /^aer_status: 0x/;
/** How bad it is stands before, in one message for all that was handed on. */
const FIRMWARE_FATAL = /^\{\d{1,9}\}\[Hardware Error\]: +(?:event severity|severity|.*, type): (?:\d, )?fatal/;
const LOOK_BACK = 24;
const BIT = /^\s*\[ ?\d+\] (.{1,32}?)\s*(?:\(First\))?\s*$/;
/** The most lines by which one error is told. */
const LINES = 12;
/** Downstream Port Containment: the port cuts off what is behind it. Before 6.16 the reason is a message of its own. */
const CONTAINED = /^DPC: containment event, status:0x[\da-f]{1,4}(?:[,:]? (ERR_\w+|unmasked uncorrectable error))?/;
const REASON = /^DPC: (ERR_\w+|unmasked uncorrectable error|RP PIO error|software trigger)/;

type Level = "bus_corrected" | "bus_not_corrected" | "bus_fatal";

const WORDS: Readonly<Record<Level, string>> = {
  bus_corrected: "corrected",
  bus_not_corrected: "not corrected",
  bus_fatal: "fatal",
};

/** What is said of the device in the lines that follow. */
function following(messages: readonly string[], at: number, device: string): string[] {
  const lines: string[] = [];
  for (const message of messages.slice(at + 1, at + 1 + LINES)) {
    const [, driver, pci, words = ""] = OF_DEVICE.exec(message) ?? [];
    if (`${driver} ${pci}` !== device || ERROR.test(words) || FIRMWARE.test(words)) break;
    lines.push(words);
  }
  return lines;
}

/** The kinds of error: `BadTLP`, `Timeout`, `CmpltTO`. */
const errorNames = (lines: readonly string[]): string =>
  lines
    .map((line) => BIT.exec(line)?.[1])
    .filter((name) => name !== undefined)
    .join(", ");

const levelOf = (correct: string, fatal: string | undefined): Level =>
  correct === "Correct" ? "bus_corrected" : fatal === "Fatal" ? "bus_fatal" : "bus_not_corrected";

const told = (pci: string, level: Level, layer: string, lines: readonly string[]): Finding => {
  const names = errorNames(lines);
  const text = `PCIe error, ${WORDS[level]}, ${layer}${names === "" ? "" : `: ${names}`}`;
  return { kind: "aer", severity: severities[level], pci, text, burst: `aer ${WORDS[level]}` };
};

function ofFirmware(pci: string, lines: readonly string[], before: readonly string[]): Finding {
  const layer = lines.map((line) => /^aer_layer=([^,]{1,40}),/.exec(line)?.[1]).find((name) => name !== undefined);
  const isCorrected = !lines.some((line) => line.startsWith("aer_uncor_severity"));
  const isFatal = before.some((message) => FIRMWARE_FATAL.test(message));
  const level = isFatal ? "bus_fatal" : isCorrected ? "bus_corrected" : "bus_not_corrected";
  return told(pci, level, layer ?? "told by the firmware", lines);
}

/** Whether a device says of itself what the port heard of; of several the port names one only. */
function isOf(message: string, level: Level): boolean {
  const [, correct, fatal] = ERROR.exec(OF_DEVICE.exec(message)?.[3] ?? "") ?? [];
  return correct !== undefined && levelOf(correct, fatal) === level;
}

/** What a port heard of, where no device says what it is. */
function heard(port: string, words: string, messages: readonly string[], at: number): Finding | null {
  const [, correct, fatal, device] = HEARD.exec(words) ?? [];
  if (correct === undefined) return null;
  const level = levelOf(correct, fatal);
  const isSaid = messages.slice(at + 1, at + 1 + LOOK_AHEAD).some((message) => isOf(message, level));
  return isSaid ? null : told(device ?? port, level, "no details", []);
}

function contained(pci: string, words: string, next: string): Finding | null {
  const [isContained, reason] = CONTAINED.exec(words) ?? [];
  if (isContained === undefined) return null;
  const why = reason ?? REASON.exec(OF_DEVICE.exec(next)?.[3] ?? "")?.[1];
  const text = `PCIe error: the port cut its link off${why === undefined ? "" : `: ${why}`}`;
  const severity = saidSeverity(severities.bus_not_corrected, why ?? "");
  return { kind: "aer", severity, pci, text, burst: `dpc ${severity}` };
}

/** Advanced Error Reporting of the PCIe bus, and its devices that did not come back. */
export const pcieRule: Rule = (messages, at) => {
  const [, driver, pci, words = ""] = OF_DEVICE.exec(messages[at] ?? "") ?? [];
  if (pci === undefined) return null;
  if (/^device recovery failed/i.test(words)) {
    const text = "PCIe error: the device did not recover";
    return { kind: "aer", severity: severities.bus_not_recovered, pci, text, burst: "recovery" };
  }
  const lines = () => following(messages, at, `${driver} ${pci}`);
  if (FIRMWARE.test(words)) return ofFirmware(pci, lines(), messages.slice(Math.max(0, at - LOOK_BACK), at));
  const [, correct, fatal, layer = ""] = ERROR.exec(words) ?? [];
  if (correct !== undefined) return told(pci, levelOf(correct, fatal), layer.trim(), lines());
  return heard(pci, words, messages, at) ?? contained(pci, words, messages[at + 1] ?? "");
};
