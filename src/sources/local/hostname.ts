import { hostname } from "node:os";
import { cleanText } from "../../frame/clean_text.ts";
import { Tree } from "./files.ts";

/**
 * The machine's name. Below another root it is the one in /etc: the kernel tells every container its own, also through
 * a /proc that belongs to the host.
 */
export function readHostname(root: string): string {
  const tree = new Tree(root);
  const kernel = "/proc/sys/kernel/hostname";
  const configured = "/etc/hostname";
  const [first, second] = tree.root === "" ? [kernel, configured] : [configured, kernel];
  return cleanText(tree.text(first) ?? tree.text(second) ?? hostname());
}
