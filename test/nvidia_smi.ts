import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capture, Moment } from "./nvidia_smi_capture.ts";

/** What the stand-in for nvidia-smi plays, and how it goes wrong. */
export interface Script {
  readonly capture: Capture;
  readonly moment: Moment;
  /** How many cards the machine has, all as the captured one. */
  readonly cards?: number;
  /** Cells that are other than captured, by field name. */
  readonly values?: Readonly<Record<string, string>>;
  /** What stands in the cells of a card, by index: `[GPU is lost]`. */
  readonly lost?: Readonly<Record<number, string>>;
  /** A PCI address as nvidia-smi writes it, of a card that cannot be opened: it ends, unless asked for others only. */
  readonly unopened?: string;
  /** What stands behind `GPU ` when it says so; the address where this is not given. */
  readonly unopenedAs?: string;
  /** What it says in the place of a card's row, by index. */
  readonly inPlace?: Readonly<Record<number, string>>;
  /** It says so once, and has nothing in that place after that. */
  readonly saysOnce?: boolean;
  /** Whether `nvidia-smi -L` fails. */
  readonly listFails?: boolean;
  /** Whether processes use the cards. */
  readonly processes?: boolean;
  /** Says this and ends. */
  readonly dies?: string;
  /** Prints nothing and does not end. */
  readonly hangs?: boolean;
  /** Printed in a round's place. */
  readonly garbage?: string;
  /** A version that does not know newer fields. */
  readonly older?: boolean;
  /** Names of fields that its help tells of, and that it does not know. */
  readonly refuses?: readonly string[];
}

/** A folder for the front of `PATH` with an nvidia-smi in it. */
export interface FakeNvidiaSmi extends Disposable {
  readonly path: string;
  /** Plays something else from its next round on. */
  play(script: Script): void;
}

export function fakeNvidiaSmi(script: Script): FakeNvidiaSmi {
  const path = mkdtempSync(join(tmpdir(), "nvidia-smi-"));
  const scriptPath = join(path, "script.json");
  const play = (next: Script): void => {
    writeFileSync(`${scriptPath}.new`, JSON.stringify(next));
    renameSync(`${scriptPath}.new`, scriptPath);
  };
  play(script);
  const command = join(path, "nvidia-smi");
  const player = join(import.meta.dirname, "fixtures/nvidia-smi/play.ts");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${player}' '${scriptPath}' "$@"\n`);
  chmodSync(command, 0o755);
  return { path, play, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
