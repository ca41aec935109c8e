import type { Memory } from "../../frame/schema.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { type HotFile, round1, Tree } from "./files.ts";

type MemorySizes = Omit<Memory, "index" | "time" | keyof HostIdentity>;

/** /proc/meminfo (proc_meminfo(5)): lines of `Key:  12345 kB`. */
function parseMeminfo(text: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [, key = "", kibibytes] of text.matchAll(/^([\w()]+):\s+(\d{1,12}) kB$/gm)) {
    sizes.set(key, Number(kibibytes) * 1024);
  }
  return sizes;
}

/** What follows from an estimate. */
export const ESTIMATED: readonly string[] = ["used_bytes", "available_bytes", "utilization"];

/**
 * Sizes as `free` shows them (procps 4): used is what is not available, cached includes what slabs can give back.
 * @param minFree_bytes What the kernel keeps free (vm.min_free_kbytes), for kernels that do not say what is available.
 */
export function memorySizes(meminfo: string, minFree_bytes: () => number | null = () => null): MemorySizes {
  const sizes = parseMeminfo(meminfo);
  const size = (key: string): number | null => sizes.get(key) ?? null;
  const total = size("MemTotal");
  const free = size("MemFree");
  const told = size("MemAvailable");
  const available = availableOf(total, free, told ?? estimateAvailable(size, minFree_bytes));
  const used = minus(total, available);
  const cached = size("Cached");
  return {
    total_bytes: total,
    used_bytes: used,
    available_bytes: available,
    free_bytes: free,
    buffers_bytes: size("Buffers"),
    cached_bytes: cached === null ? null : cached + (size("SReclaimable") ?? 0),
    swap_total_bytes: size("SwapTotal"),
    swap_used_bytes: minus(size("SwapTotal"), size("SwapFree")),
    swap_free_bytes: size("SwapFree"),
    utilization: used === null || !total ? null : round1((100 * used) / total),
    ...(told === null && available !== null && { estimated: [...ESTIMATED] }),
  };
}

/**
 * For kernels before 3.14, as free(1) does since procps 3.3.10: what is free or can be given back, less what the kernel
 * keeps. Before 2.6.28 it did not tell which pages are of files.
 */
function estimateAvailable(size: (key: string) => number | null, minFree_bytes: () => number | null): number | null {
  const free = size("MemFree");
  if (free === null) return null;
  const low = ((minFree_bytes() ?? 0) * 5) / 4;
  const [active, inactive] = [size("Active(file)"), size("Inactive(file)")];
  const slabs = size("SReclaimable") ?? 0;
  const givenBack = (bytes: number): number => bytes - Math.min(bytes / 2, low);
  if (active === null || inactive === null) {
    const [buffers, cached] = [size("Buffers"), size("Cached")];
    return buffers === null || cached === null ? null : free + buffers + cached + slabs;
  }
  return Math.max(0, Math.round(free - low + givenBack(active + inactive) + givenBack(slabs)));
}

/** In a container that lxcfs shows its own total to, the host's "available" can exceed it; an estimate can anywhere. */
const availableOf = (total: number | null, free: number | null, available: number | null): number | null =>
  available !== null && total !== null && available > total ? free : available;

const minus = (whole: number | null, part: number | null): number | null =>
  whole === null || part === null ? null : Math.max(0, whole - part);

class MemorySource implements Source {
  readonly name = "memory";
  readonly #tree: Tree;
  readonly #host: HostIdentity;
  readonly #meminfo: HotFile;

  constructor(root: string, host: HostIdentity) {
    this.#tree = new Tree(root);
    this.#host = host;
    this.#meminfo = this.#tree.hot("/proc/meminfo");
  }

  read(cycle: Cycle): Reading {
    const sizes = memorySizes(this.#meminfo.text() ?? "", () => this.#minFree_bytes());
    if (sizes.total_bytes === null) {
      this.#tree.complain("/proc/meminfo: no MemTotal");
      return this.#tree.finish(this.name, { memory: [] });
    }
    const memory: Memory = { index: 0, ...this.#host, ...sizes, time: cycle.time };
    return this.#tree.finish(this.name, { memory: [memory] });
  }

  #minFree_bytes(): number | null {
    const kibibytes = this.#tree.natural("/proc/sys/vm/min_free_kbytes");
    return kibibytes === null ? null : kibibytes * 1024;
  }

  close(): void {
    this.#meminfo.close();
  }
}

/** RAM and swap of the machine whose files are below `root`. */
export const memorySource = (options: { root: string; host: HostIdentity }): Source =>
  new MemorySource(options.root, options.host);
