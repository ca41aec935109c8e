import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** For `--host-root`, below a folder of tests: this machine, but for its buses, on which it may have GPUs. */
export function rootWithoutCards(folder: string): string {
  const root = mkdtempSync(join(folder, "root-"));
  for (const name of ["proc", "etc"]) symlinkSync(`/${name}`, join(root, name));
  for (const name of ["sys", "dev"]) mkdirSync(join(root, name));
  return root;
}

/** For `--host-root`: a machine below a folder of tests that has these files; a text that begins with `-> ` is a link. */
export function machineIn(folder: string, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(folder, "machine-"));
  const all = { "proc/meminfo": "MemTotal: 1000 kB\n", "proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n", ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), join(root, file));
    else writeFileSync(join(root, file), text);
  }
  return root;
}
