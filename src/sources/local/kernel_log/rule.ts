import type { FrameEvent } from "../../../frame/schema.ts";

/** What a message says has happened. */
export interface Finding extends Pick<FrameEvent, "kind" | "severity" | "text"> {
  /** The PCI address of the device that it is about, as the message has it; `null`: it is about the machine. */
  readonly pci: string | null;
  /** The XID's number: the driver's library may have told of it too. */
  readonly xid?: number;
  /** Set for what comes in bursts: findings of one device with the same name are one event. */
  readonly burst?: string;
}

/**
 * Looks at the message at `at`, and at its neighbours where they say more of the same thing; `null`: it is of no interest.
 * Messages quote names that programs gave themselves: a pattern begins with the kernel's words.
 */
export type Rule = (messages: readonly string[], at: number) => Finding | null;

/** `0000:06:00.0` in a pattern. */
export const PCI = "[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]";

/** A process in a text. */
export const processName = (name: string, pid: string): string => (name === "" ? `pid ${pid}` : `${name} (${pid})`);

/** As a burst: what begins with the same words is the same, whatever the numbers behind them. */
export const saying = (words: string): string => `says ${words.slice(0, 40)}`;
