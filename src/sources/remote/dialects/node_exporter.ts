import { chassisFields, memoryFields, type Storage } from "../../../frame/schema.ts";
import { diskOfRoot, isFileName, mayBeDisk } from "../../local/disks.ts";
import { ESTIMATED } from "../../local/memory.ts";
import { isUnknownNumber, plausible } from "../../plausible.ts";
import { blankMaker } from "../blank.ts";
import type { Labels, Take } from "../exposition.ts";
import {
  type Dialect,
  MOST_DEVICES,
  MOST_READ,
  NOBODY,
  type PageContext,
  type PageReader,
  type Told,
  textOf,
} from "./dialect.ts";
import { cpuOf, NodeCpus } from "./node_cpu.ts";
import { OneHost } from "./one_host.ts";

/** Prometheus's node_exporter: what Linux says of a machine, without its GPUs and processes. */

const blankMemory = blankMaker(memoryFields);
const blankChassis = blankMaker(chassisFields);

/** Of /proc/meminfo; in bytes. */
const MEMORY = /^node_memory_(MemTotal|MemFree|MemAvailable|Buffers|Cached|SReclaimable|SwapTotal|SwapFree)_bytes$/;

/** What is alone in its family, without labels. */
const SINGLES = new Set(["node_load1", "node_load5", "node_load15", "node_boot_time_seconds", "node_time_seconds"]);

const FILE_SYSTEM = new Map([
  ["node_filesystem_size_bytes", "total_bytes"],
  ["node_filesystem_avail_bytes", "available_bytes"],
  ["node_filesystem_free_bytes", "free_bytes"],
] as const);

interface FileSystem {
  readonly device: string;
  readonly type: string;
  total_bytes: number | null;
  available_bytes: number | null;
  free_bytes: number | null;
}

interface Fan {
  readonly name: string;
  rpm: number | null;
  max_rpm: number | null;
}

/** `node_dmi_info`'s labels, and how a frame's `detail` has them. */
const DMI = [
  ["product_name", "Product Name"],
  ["system_vendor", "Vendor"],
  ["board_name", "Board"],
  ["product_version", "Version"],
  ["bios_version", "BIOS Version"],
] as const;

class NodeReader implements PageReader {
  readonly #cpus = new NodeCpus();
  readonly #values = new Map<string, number>();
  readonly #fileSystems = new Map<string, FileSystem>();
  readonly #fans = new Map<string, Fan>();
  readonly #host = new OneHost();
  #uname: Labels | null = null;
  #dmi: Labels | null = null;

  take(family: string): Take | null {
    const memory = MEMORY.exec(family)?.[1];
    if (memory !== undefined) return this.#single(memory);
    if (SINGLES.has(family)) return this.#single(family);
    const size = FILE_SYSTEM.get(family as never);
    if (size !== undefined) return (labels, value) => this.#fileSystem(labels, size, value);
    switch (family) {
      case "node_uname_info":
        return (labels) => {
          this.#host.noteHost(labels.get("instance"), textOf(labels.get("nodename")) ?? undefined);
          this.#uname = labels;
        };
      case "node_dmi_info":
        return (labels) => {
          this.#dmi = labels;
        };
      case "node_hwmon_fan_rpm":
        return (labels, value) => this.#fan(labels, "rpm", value);
      case "node_hwmon_fan_max_rpm":
        return (labels, value) => this.#fan(labels, "max_rpm", value);
      default:
        return this.#cpus.take(family);
    }
  }

  #single(name: string): Take {
    return (labels, value) => {
      this.#host.noteHost(labels.get("instance"), undefined);
      if (value !== null && value >= 0 && !isUnknownNumber(value)) this.#values.set(name, value);
    };
  }

  #fileSystem(labels: Labels, size: "total_bytes" | "available_bytes" | "free_bytes", value: number | null): void {
    const mountPoint = labels.get("mountpoint");
    if (mountPoint === undefined) return;
    const [device, type] = [labels.get("device") ?? "", labels.get("fstype") ?? ""];
    let one = this.#fileSystems.get(mountPoint);
    // Old kernels list the root twice: also as what was there before its disk was mounted.
    if (one !== undefined && type === "rootfs") return;
    if (one === undefined || one.type === "rootfs") {
      if (this.#fileSystems.size === MOST_READ) return;
      one = { device, type, total_bytes: null, available_bytes: null, free_bytes: null };
      this.#fileSystems.set(mountPoint, one);
    }
    one[size] = plausible("count", value);
  }

  #fan(labels: Labels, what: "rpm" | "max_rpm", value: number | null): void {
    const name = `${labels.get("chip") ?? ""} ${labels.get("sensor") ?? ""}`;
    const fan = this.#fans.get(name) ?? { name, rpm: null, max_rpm: null };
    if (!this.#fans.has(name) && this.#fans.size === MOST_DEVICES) return;
    fan[what] = plausible("rpm", value);
    this.#fans.set(name, fan);
  }

  finish(context: PageContext): Told {
    const { time } = context;
    const cpu = this.#cpus.finish(context);
    const storage = realStorage(this.#fileSystems);
    const sections = {
      cpus: cpu === null ? [] : [{ ...cpuOf(cpu, this.#uname?.get("machine") ?? "", time), ...this.#times() }],
      memory: this.#memory(time),
      chassis: this.#chassis(time),
      storage,
    };
    const hostname = textOf(this.#uname?.get("nodename"));
    return { sections, hostname, hasSeveralHosts: this.#host.hasSeveral };
  }

  #times() {
    const loads = ["node_load1", "node_load5", "node_load15"].map((name) => this.#values.get(name) ?? null);
    const [now, boot] = [this.#values.get("node_time_seconds"), this.#values.get("node_boot_time_seconds")];
    const uptime = now === undefined || boot === undefined || now < boot ? null : Math.floor(now - boot);
    return { load_average: loads.every((load) => load === null) ? null : loads, uptime_seconds: uptime };
  }

  /** As `free` shows it; kernels before 3.14 do not say what is available. */
  #memory(time: string) {
    const size = (key: string): number | null => this.#values.get(key) ?? null;
    const [total, free, buffers, swap, swapFree] = ["MemTotal", "MemFree", "Buffers", "SwapTotal", "SwapFree"].map(
      size,
    );
    if (total === null || total === undefined) return [];
    const cached = plus(size("Cached"), size("SReclaimable") ?? 0);
    const told = size("MemAvailable");
    const available = told ?? plus(plus(free, buffers), cached);
    const used = minus(total, available);
    return [
      {
        ...blankMemory(),
        time,
        total_bytes: total,
        used_bytes: used,
        available_bytes: available,
        free_bytes: free ?? null,
        buffers_bytes: buffers ?? null,
        cached_bytes: cached,
        swap_total_bytes: swap ?? null,
        swap_used_bytes: minus(swap, swapFree),
        swap_free_bytes: swapFree ?? null,
        utilization: used === null || total === 0 ? null : Math.round((1000 * used) / total) / 10,
        ...(told === null && available !== null && { estimated: [...ESTIMATED] }),
      },
    ];
  }

  #chassis(time: string) {
    const detail: Record<string, string> = {};
    for (const [label, key] of DMI) {
      const text = textOf(this.#dmi?.get(label));
      if (text !== null) detail[key] = text;
    }
    const fan_speeds = [...this.#fans.values()].map(({ name, rpm, max_rpm }, id) => ({
      id,
      name,
      speed_rpm: rpm,
      max_rpm,
    }));
    if (fan_speeds.length === 0 && Object.keys(detail).length === 0) return [];
    return [{ ...blankChassis(), ...NOBODY, fan_speeds, detail, time }];
  }
}

const plus = (a: number | null | undefined, b: number | null | undefined): number | null =>
  typeof a === "number" && typeof b === "number" ? a + b : null;

const minus = (whole: number | null | undefined, part: number | null | undefined): number | null =>
  typeof whole === "number" && typeof part === "number" ? Math.max(0, whole - part) : null;

/** Those of the machine's disks, each once, by the shortest path that leads to it: as our own reader has them. */
function realStorage(fileSystems: ReadonlyMap<string, FileSystem>): Storage[] {
  const all = [...fileSystems].map(([mountPoint, one]) => ({ ...one, mountPoint, source: one.device }));
  const counted = diskOfRoot(all)?.source;
  const byDevice = new Map<string, (typeof all)[number]>();
  for (const one of all) {
    // Whether it is a folder nobody tells.
    if (!mayBeDisk(one) || isFileName(one.mountPoint) || one.source === counted) continue;
    const known = byDevice.get(one.source);
    if (known === undefined || one.mountPoint.length < known.mountPoint.length) byDevice.set(one.source, one);
  }
  const disks = [...byDevice.values()].sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
  return disks.map(({ mountPoint, device, type, total_bytes, available_bytes, free_bytes }, index) => ({
    mount_point: mountPoint,
    total_bytes,
    available_bytes,
    host_id: "",
    hostname: "",
    index,
    used_bytes: minus(total_bytes, free_bytes),
    device,
    file_system: type,
  }));
}

export const nodeExporter: Dialect = {
  owns: (family) => family.startsWith("node_"),
  open: () => new NodeReader(),
};
