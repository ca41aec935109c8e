import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What stands at each path: a text, a folder, or where a link leads to. */
export type Tree = Readonly<Record<string, string | { readonly link: string } | "folder">>;

export const FOLDER = "folder";

/** A machine's files for `--host-root`, below a folder of tests. */
export function hostTree(folder: string, tree: Tree): string {
  const root = mkdtempSync(join(folder, "host-"));
  for (const [path, what] of Object.entries(tree)) {
    const file = root + path;
    mkdirSync(what === FOLDER ? file : dirname(file), { recursive: true });
    if (typeof what === "object") symlinkSync(what.link, file);
    else if (what !== FOLDER) writeFileSync(file, what);
  }
  return root;
}
