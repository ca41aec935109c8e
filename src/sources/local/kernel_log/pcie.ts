import { type Finding, PCI, type Rule } from "./rule.ts";

const OF_DEVICE = new RegExp(`^(\\S{1,32}) (${PCI}): (?:AER: )?(.*)$`);
const ERROR = /^PCIe Bus Error: severity=(Correct|Uncorrect)(?:ed|able)(?: \((Fatal|Non-Fatal)\))?, type=([^,(]{1,40})/;
/** Where the firmware hears of errors first, the kernel lists what the firmware hands on. */
const FIRMWARE = /^aer_status: 0x/;
const BIT = /^\s*\[ ?\d+\] (.{1,32}?)\s*(?:\(First\))?\s*$/;
/** The most lines by which one error is told. */
const LINES = 12;

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

const told = (pci: string, level: string, layer: string, lines: readonly string[]): Finding => {
  const names = errorNames(lines);
  const text = `PCIe error, ${level}, ${layer}${names === "" ? "" : `: ${names}`}`;
  return { kind: "aer", severity: level === "fatal" ? "critical" : "warning", pci, text, burst: `aer ${level}` };
};

function ofFirmware(pci: string, lines: readonly string[]): Finding {
  const layer = lines.map((line) => /^aer_layer=([^,]{1,40}),/.exec(line)?.[1]).find((name) => name !== undefined);
  const isCorrected = !lines.some((line) => line.startsWith("aer_uncor_severity"));
  return told(pci, isCorrected ? "corrected" : "not corrected", layer ?? "told by the firmware", lines);
}

/** Advanced Error Reporting of the PCIe bus, and its devices that did not come back. */
export const pcieRule: Rule = (messages, at) => {
  const [, driver, pci, words = ""] = OF_DEVICE.exec(messages[at] ?? "") ?? [];
  if (pci === undefined) return null;
  if (words === "device recovery failed") {
    return {
      kind: "aer",
      severity: "critical",
      pci,
      text: "PCIe error: the device did not recover",
      burst: "recovery",
    };
  }
  const lines = () => following(messages, at, `${driver} ${pci}`);
  if (FIRMWARE.test(words)) return ofFirmware(pci, lines());
  const [, correct, fatal, layer = ""] = ERROR.exec(words) ?? [];
  if (correct === undefined) return null;
  const level = correct === "Correct" ? "corrected" : fatal === "Fatal" ? "fatal" : "not corrected";
  return told(pci, level, layer.trim(), lines());
};
