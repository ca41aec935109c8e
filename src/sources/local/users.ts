import { readFileSync, statSync } from "node:fs";
import { below } from "./below_root.ts";
import { AT_ONCE } from "./files.ts";

/** User names by number, from the text of `/etc/passwd`; of several names the first counts, as for getpwuid(3). */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , uid] = line.split(":");
    if (name && uid && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

/** The effective user in the text of `/proc/PID/status`; `null` where it does not say. */
export function parseEffectiveUid(status: string): number | null {
  const uid = status.match(/^Uid:\s+\d+\s+(\d+)/m)?.[1];
  return uid === undefined ? null : Number(uid);
}

/** The users of the machine below `root`. */
export class Users {
  readonly #root: string;
  #version = "";
  #names: ReadonlyMap<number, string> = new Map();

  constructor(root: string) {
    this.#root = root;
  }

  /** Reads the file again where it is another one than last time. */
  refresh(): void {
    try {
      const path = below(this.#root, "/etc/passwd");
      const { ino, size, mtimeMs } = statSync(path);
      const version = `${ino} ${size} ${mtimeMs}`;
      if (version === this.#version) return;
      this.#names = parsePasswd(readFileSync(path, { encoding: "utf8", flag: AT_ONCE }));
      this.#version = version;
    } catch {
      // Without the file (a container's root has none) users are numbers.
      this.#names = new Map();
      this.#version = "";
    }
  }

  /** The name, or the number where it has none (users of a directory service are not in the file). */
  name(uid: number): string {
    return this.#names.get(uid) ?? String(uid);
  }
}
