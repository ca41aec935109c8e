import { cleanText } from "../../../../frame/clean_text.ts";
import { pciAddress } from "../../registry.ts";

/** Of a line, so many bytes are shown. */
const SHOWN = 200;

/** nvidia-smi's words about a card that it cannot open. */
export interface LostCard {
  readonly index: number | null;
  readonly pci: string | null;
  readonly reason: string;
}

/**
 * The card of `Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error`; other versions say
 * `GPU0000:0B:00.0: …`, `GPU1: 0000:0B:00.0: …` or `GPU1: …`, and `GPU is lost.  Reboot the system to recover this GPU`.
 */
export function lostCardIn(line: string): LostCard | null {
  const [, index, address, reason] =
    /^Unable to determine the device handle for gpu ?(?:(\d+): )?((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])?:? ?(.*)$/i.exec(
      line.trim(),
    ) ?? [];
  if (reason === undefined) return null;
  return {
    index: index === undefined ? null : Number(index),
    pci: address === undefined ? null : pciAddress(address),
    reason: reason.split(/\.(?:\s|$)/)[0] ?? reason,
  };
}

/** The name in `Field "mig.mode.current" is not a valid field to query.` */
export const refusedIn = (line: string): string[] =>
  [...line.matchAll(/"([^"]+)" is not a valid field to query/g)].map(([, name = ""]) => name);

/** The driver is there, and has no card to drive. */
export const saysNoDevices = (line: string): boolean => line.trim() === "No devices were found";

/** Where there is no driver, nvidia-smi may be there all the same. */
export const NO_DRIVER = "the driver is not loaded";

/** Parts of what it says, and what that means. */
const SENTENCES: readonly (readonly [has: string, sentence: string])[] = [
  ["couldn't communicate with the NVIDIA driver", NO_DRIVER],
  ["Driver/library version mismatch", "the driver was updated since it was loaded: reload it, or start anew"],
  ["Failed to initialize NVML: Insufficient Permissions", "no permission to use the driver"],
];

/** A sentence for people: what nvidia-smi said before it ended, or how it ended. */
export function sentenceOf(lines: readonly string[], ending: string): string {
  const said = lines.map((line) => line.trim()).filter((line) => line !== "");
  for (const [has, sentence] of SENTENCES) if ([...said, ending].some((line) => line.includes(has))) return sentence;
  const words = cleanText(said[0] ?? ending, SHOWN);
  return said[0] === undefined ? `nvidia-smi ${words}` : `nvidia-smi: ${words.replace(/\.$/, "")}`;
}
