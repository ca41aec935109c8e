import { existsSync, lstatSync, readlinkSync } from "node:fs";

/** As many links as Linux follows on one path: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Where a file of the machine below `root` is found from here. Links on the way are followed below the root, as that
 * machine itself would follow them: an absolute link begins at its root, and `..` does not lead out of it. `file` is
 * absolute. What is not there keeps its name. Throws `ELOOP` where links lead in a circle. Below `""`, this machine,
 * the kernel does all that.
 *
 * Only a folder right below the root that is a link to its own name (`proc -> /proc`) is this machine's: on the other it
 * would be a circle, so it was made by whoever put the root together.
 */
export const below = (root: string, file: string): string =>
  root === "" ? file : root + (follow(root, "", file) || "/");

/** As {@link below}, of a link itself: only those on the way to it are followed. */
export const linkBelow = (root: string, link: string): string =>
  root === ""
    ? link
    : root + follow(root, "", link.slice(0, link.lastIndexOf("/"))) + link.slice(link.lastIndexOf("/"));

/** Whether there is such a file. */
export function existsBelow(root: string, file: string): boolean {
  try {
    return existsSync(below(root, file));
  } catch {
    return false;
  }
}

/** As {@link below}, for many files of few folders: of a folder all links are followed once, until it forgets them. */
export class FoldersBelow {
  readonly #root: string;
  readonly #folders = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  file(file: string): string {
    if (this.#root === "") return file;
    const folder = file.slice(0, file.lastIndexOf("/"));
    const real = this.#folders.get(folder) ?? follow(this.#root, "", folder);
    this.#folders.set(folder, real);
    return this.#root + (follow(this.#root, real, file.slice(folder.length)) || "/");
  }

  forget(): void {
    this.#folders.clear();
  }
}

/** Goes on with `path` from `folder`, in which there is no link any more. */
function follow(root: string, folder: string, path: string): string {
  let found = folder;
  let links = 0;
  const waiting = partsOf(path).reverse();
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part === "..") {
      found = parentOf(found);
      continue;
    }
    const target = targetOf(`${root}${found}/${part}`);
    if (target === null || (found === "" && target === `/${part}`)) {
      found += `/${part}`;
      continue;
    }
    if (++links > MOST_LINKS) throw Object.assign(new Error(`ELOOP: too many links, ${path}`), { code: "ELOOP" });
    if (target.startsWith("/")) found = "";
    waiting.push(...partsOf(target).reverse());
  }
  return found;
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** `null` where there is no link, or nothing at all. */
function targetOf(path: string): string | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}
