import { statfs } from "node:fs/promises";
import type { Storage } from "../../frame/schema.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { type HotFile, Tree } from "./files.ts";
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

/** Read-only images that are always full. */
const IMAGES = new Set(["squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"]);

/** File systems of this machine whose source is no device file. */
const WITHOUT_DEVICE = new Set(["zfs", "btrfs", "bcachefs", "ubifs", "jffs2"]);

/** Files that a container runtime mounts one by one, and what container engines mount below their own folders. */
const RUNTIME_MOUNT =
  /^(\/etc\/(hosts|hostname|resolv\.conf)|\/dev\/termination-log|\/var\/lib\/(docker|containers|containerd)\/.+|\/(proc|sys|run\/credentials)\/.+)$/;

function isReal({ mountPoint, type, source }: Mount): boolean {
  // In a container the root is often an overlay: its numbers are those of the disk behind it.
  if (mountPoint === "/") return true;
  if (IMAGES.has(type) || RUNTIME_MOUNT.test(mountPoint)) return false;
  return WITHOUT_DEVICE.has(type) || (source.startsWith("/dev/") && !type.startsWith("fuse."));
}

/**
 * The real file systems among the mounts, one entry each, by the shortest path that leads to it. Network file systems
 * are none of this machine's, and one whose server is gone would hang whoever asks.
 */
export function realFileSystems(mounts: readonly Mount[]): Mount[] {
  // Of several mounts on one path the last one is what can be seen.
  const visible = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  const byDevice = new Map<string, Mount>();
  for (const mount of visible.values()) {
    if (!isReal(mount)) continue;
    const known = byDevice.get(mount.deviceNumber);
    if (known === undefined || mount.mountPoint.length < known.mountPoint.length)
      byDevice.set(mount.deviceNumber, mount);
  }
  return [...byDevice.values()].sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

/** Each file system is asked by itself, so that one that hangs hides no other. */
interface Asked {
  readonly mount: Mount;
  readonly counts: Paced<BlockCounts>;
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
    const before = new Map(this.#asked.map((asked) => [asked.mount.deviceNumber + asked.mount.mountPoint, asked]));
    this.#asked = realFileSystems(parseMountinfo(bytes.toString())).map((mount) => {
      const counts = before.get(mount.deviceNumber + mount.mountPoint)?.counts;
      return { mount, counts: counts ?? new Paced(0, () => this.#ask(mount.mountPoint)) };
    });
  }

  async #ask(mountPoint: string): Promise<BlockCounts | null> {
    try {
      return await (this.#options.ask ?? statfs)(this.#tree.root + mountPoint);
    } catch (error) {
      this.#tree.complain(`${mountPoint}: ${error instanceof Error && "code" in error ? error.code : error}`);
      return null;
    }
  }

  /** `null` for a file system without blocks, which holds nothing. */
  async #device({ mount, counts }: Asked, now_ms: number): Promise<Storage | null> {
    const answer = await counts.latest(now_ms);
    if (counts.isHung(now_ms)) this.#tree.complain(`${mount.mountPoint} does not answer`);
    if (answer?.blocks === 0) return null;
    const bytes = (blocks: number | undefined): number | null =>
      answer === null || blocks === undefined ? null : blocks * answer.frsize;
    return {
      mount_point: mount.mountPoint,
      total_bytes: bytes(answer?.blocks),
      available_bytes: bytes(answer?.bavail),
      host_id: this.#options.host.host_id,
      hostname: this.#options.host.hostname,
      index: 0,
      used_bytes: answer === null ? null : bytes(answer.blocks - answer.bfree),
      device: mount.source,
      file_system: mount.type,
    };
  }
}

/** The file systems of the machine whose mounts are listed below `root`. */
export const storageSource = (options: StorageOptions): Source => new StorageSource(options);
