import { hostname } from "node:os";
import { cleanText } from "../../frame/clean_text.ts";
import type { HostIdentity } from "../source.ts";
import { Tree } from "./files.ts";

/** How often a name is read again: a machine gets it late, or another one. */
const READ_EVERY_MS = 1000;

/** As long as a name of the DNS. */
const MAX_NAME_BYTES = 253;

/** What a kernel says that nobody has told a name. */
const UNNAMED = "(none)";

/** hostname(5): the first line that is no comment. */
function nameIn(text: string | null): string | null {
  const line = text?.split("\n").find((one) => one.trim() !== "" && !one.trimStart().startsWith("#"));
  const name = cleanText(line?.trim() ?? UNNAMED, MAX_NAME_BYTES);
  return name === UNNAMED ? null : name;
}

/**
 * The machine's name. Below another root it is the one in /etc: the kernel tells every container its own, also through
 * a /proc that belongs to the host.
 */
export function readHostname(root: string): string {
  const tree = new Tree(root);
  const kernel = "/proc/sys/kernel/hostname";
  const configured = "/etc/hostname";
  const [first, second] = tree.root === "" ? [kernel, configured] : [configured, kernel];
  return nameIn(tree.text(first)) ?? nameIn(tree.text(second)) ?? nameIn(hostname()) ?? "localhost";
}

/** The machine as its rows name it, by the name that it has at the time. */
export class MachineName {
  readonly #root: string;
  readonly #identity: { -readonly [K in keyof HostIdentity]: HostIdentity[K] };
  /** `null`: somebody has given the name. */
  #read_ms: number | null;

  constructor(root: string, given?: string) {
    this.#root = root;
    this.#read_ms = given === undefined ? performance.now() : null;
    const name = given ?? readHostname(root);
    this.#identity = { host_id: name, hostname: name, instance: name };
  }

  /** The same object always; it changes only within {@link now}. */
  get identity(): HostIdentity {
    return this.#identity;
  }

  now(): string {
    const now_ms = performance.now();
    if (this.#read_ms !== null && now_ms - this.#read_ms >= READ_EVERY_MS) {
      this.#read_ms = now_ms;
      const name = readHostname(this.#root);
      Object.assign(this.#identity, { host_id: name, hostname: name, instance: name });
    }
    return this.#identity.hostname;
  }
}
