import { Tree } from "./files.ts";

/** machine-id(5), and where it was before systemd. */
const FILES = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

const PURPOSE = "all-smi recording";

/**
 * Tells this machine from others, whatever its name: a hash of its machine id by which nobody can tell that id, made as
 * sd_id128_get_machine_app_specific(3) does. `null` where there is none.
 */
export function machineKey(root: string): string | null {
  const tree = new Tree(root);
  const id = FILES.map((file) => tree.text(file)).find((text) => /^(?!0+$)[0-9a-f]{32}$/.test(text ?? ""));
  if (id == null) return null;
  return new Bun.CryptoHasher("sha256", Buffer.from(id, "hex")).update(PURPOSE).digest("hex").slice(0, 32);
}
