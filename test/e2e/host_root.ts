import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** For `--host-root`, below a folder of tests: this machine, but for its buses, on which it may have GPUs. */
export function rootWithoutCards(folder: string): string {
  const root = mkdtempSync(join(folder, "root-"));
  for (const name of ["proc", "etc"]) symlinkSync(`/${name}`, join(root, name));
  for (const name of ["sys", "dev"]) mkdirSync(join(root, name));
  return root;
}
