import { stat, statfs } from "node:fs/promises";
import type { Storage } from "../../frame/schema.ts";
import { fileThreads } from "../file_threads.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { diskOfRoot, mayBeDisk } from "./disks.ts";
import { codeOf, type HotFile, Tree } from "./files.ts";
import { type Mount, mountinfoFile, parseMountinfo } from "./mountinfo.ts";
import { Paced } from "./paced.ts";

/** Blocks of a file system, as statfs(2) tells them. */
export interface BlockCounts {
  /** The size of a block; `bsize`, the one to transfer best, can be another one. */
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  /** Free to those who are not root. */
  readonly bavail: number;
}

export interface StorageOptions {
  readonly root: string;
  readonly host: HostIdentity;
  /** How a file system is asked; statfs(2) unless a test says otherwise. */
  readonly ask?: (path: string) => Promise<BlockCounts>;
}

/** A file system, by the mount with the shortest path. */
interface FileSystem extends Mount {
  /** Its other mounts, should there be a file at that path. */
  readonly others: readonly Mount[];
}

/**
 * The real file systems among the mounts, one entry each. Network file systems are none of this machine's, and one whose
 * server is gone would hang whoever asks.
 */
export function realFileSystems(mounts: readonly Mount[]): FileSystem[] {
  // Of several mounts on one path the last one is what can be seen.
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()];
  const counted = diskOfRoot(visible)?.deviceNumber;
  const disks = visible.filter((mount) => mayBeDisk(mount) && mount.deviceNumber !== counted).sort(byLength);
  return groupByDisk(disks)
    .flatMap(([first, ...others]) => (first === undefined ? [] : [{ ...first, others }]))
    .sort(byMountPoint);
}

/** Of one disk are those with one device number, and those with one device file: subvolumes may have numbers of their own. */
function groupByDisk(disks: readonly Mount[]): Mount[][] {
  const groups = new Map<string, Mount[]>();
  for (const mount of disks) {
    const keys = mount.source.startsWith("/dev/") ? [mount.deviceNumber, mount.source] : [mount.deviceNumber];
    const group = keys.map((key) => groups.get(key)).find((known) => known !== undefined) ?? [];
    group.push(mount);
    for (const key of keys) groups.set(key, group);
  }
  return [...new Set(groups.values())];
}

const byLength = (a: Mount, b: Mount): number => a.mountPoint.length - b.mountPoint.length;

const byMountPoint = (a: { readonly mountPoint: string }, b: { readonly mountPoint: string }): number =>
  a.mountPoint < b.mountPoint ? -1 : 1;

/** What a file system answered, and the mount it was asked by; `null`: only files of it are mounted. */
interface Answer {
  readonly found: { readonly mount: Mount; readonly counts: BlockCounts } | null;
}

/** Each file system is asked by itself, so that one that hangs hides no other. */
class Asked {
  readonly fileSystem: FileSystem;
  readonly answer: Paced<Answer>;
  readonly #tree: Tree;
  readonly #statfs: (path: string) => Promise<BlockCounts>;
  /** Those that may be folders. */
  #mounts: readonly Mount[];
  #isFolder = false;

  constructor(tree: Tree, fileSystem: FileSystem, statfs: (path: string) => Promise<BlockCounts>) {
    this.fileSystem = fileSystem;
    this.answer = new Paced(0, () => this.#ask());
    this.#tree = tree;
    this.#statfs = statfs;
    this.#mounts = [fileSystem, ...fileSystem.others];
  }

  /** It stays as it is while these are its mounts. */
  isOf({ deviceNumber, mountPoint, others }: FileSystem): boolean {
    const own = this.fileSystem;
    if (own.deviceNumber !== deviceNumber || own.mountPoint !== mountPoint) return false;
    return (
      own.others.length === others.length && own.others.every((one, i) => one.mountPoint === others[i]?.mountPoint)
    );
  }

  async #ask(): Promise<Answer | null> {
    for (let [mount] = this.#mounts; mount !== undefined; [mount] = this.#mounts) {
      try {
        const path = this.#tree.path(mount.mountPoint);
        this.#isFolder ||= isWhole(mount) || !(await isFile(path));
        if (this.#isFolder) return { found: { mount, counts: await this.#statfs(path) } };
        this.#mounts = this.#mounts.slice(1);
      } catch (error) {
        this.#tree.complain(`${mount.mountPoint}: ${codeOf(error)}`);
        return null;
      }
    }
    return { found: null };
  }
}

/** No file can be mounted as a whole file system, or in the place of the root. */
const isWhole = ({ root, mountPoint }: Mount): boolean => root === "/" || mountPoint === "/";

/** What is not there is for statfs(2) to say. */
async function isFile(path: string): Promise<boolean> {
  const found = await fileThreads.run(path, () => stat(path)).catch(() => null);
  return found !== null && found !== "blocked" && !found.isDirectory();
}

async function askWhenFree(path: string): Promise<BlockCounts> {
  const found = await fileThreads.run(path, () => statfs(path));
  if (found === "blocked") throw Object.assign(new Error(`${path} does not answer`), { code: "does not answer" });
  return found;
}

class StorageSource implements Source {
  readonly name = "storage";
  readonly #options: StorageOptions;
  readonly #tree: Tree;
  readonly #mountinfo: HotFile;
  #seen: Buffer | null = null;
  #asked: readonly Asked[] = [];

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#tree = new Tree(options.root);
    this.#mountinfo = this.#tree.hot(mountinfoFile(this.#tree));
  }

  async read(cycle: Cycle): Promise<Reading> {
    this.#findMounts();
    const now_ms = cycle.monotonic_ms;
    const found = await Promise.all(this.#asked.map(async (asked) => this.#device(asked, now_ms)));
    const storage = found.filter((device) => device !== null).map((device, index) => ({ ...device, index }));
    return this.#tree.finish(this.name, { storage });
  }

  close(): void {
    this.#mountinfo.close();
  }

  /** Mounts are compared byte by byte, and understood only when they changed: on a busy host there are thousands. */
  #findMounts(): void {
    const bytes = this.#mountinfo.bytes();
    if (bytes === null || this.#seen?.equals(bytes)) return;
    this.#seen = Buffer.from(bytes);
    const before = this.#asked;
    const ask = this.#options.ask ?? askWhenFree;
    this.#asked = realFileSystems(parseMountinfo(bytes.toString())).map(
      (fileSystem) => before.find((asked) => asked.isOf(fileSystem)) ?? new Asked(this.#tree, fileSystem, ask),
    );
  }

  /** `null` for a file system without blocks, which holds nothing, and where only files are mounted. */
  async #device({ fileSystem, answer }: Asked, now_ms: number): Promise<Storage | null> {
    const latest = await answer.latest(now_ms);
    if (answer.isHung(now_ms)) this.#tree.complain(`${fileSystem.mountPoint} does not answer`);
    if (latest?.found === null || latest?.found.counts.blocks === 0) return null;
    const { mount, counts } = latest?.found ?? { mount: fileSystem, counts: null };
    const bytes = (blocks: number | undefined): number | null =>
      counts === null || blocks === undefined ? null : blocks * counts.frsize;
    return {
      mount_point: mount.mountPoint,
      total_bytes: bytes(counts?.blocks),
      available_bytes: bytes(counts?.bavail),
      host_id: this.#options.host.host_id,
      hostname: this.#options.host.hostname,
      index: 0,
      used_bytes: counts === null ? null : bytes(counts.blocks - counts.bfree),
      device: mount.source,
      file_system: mount.type,
    };
  }
}

/** The file systems of the machine whose mounts are listed below `root`. */
export const storageSource = (options: StorageOptions): Source => new StorageSource(options);
