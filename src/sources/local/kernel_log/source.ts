import type { FrameEvent } from "../../../frame/schema.ts";
import { monotonic_ms } from "../../../libc.ts";
import { type GpuRegistry, pciAddress } from "../../gpu/registry.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../../source.ts";
import { existsBelow, linkBelow } from "../below_root.ts";
import { Tree } from "../files.ts";
import { Bursts, type Heard } from "./bursts.ts";
import { KernelLog } from "./log.ts";
import type { KernelRecord } from "./record.ts";
import { findingsIn } from "./rules.ts";
import { Waiting } from "./waiting.ts";

export interface KernelLogOptions {
  /** Prefix of `/dev` and `/sys`: `""` is this machine. */
  readonly root: string;
  readonly host: HostIdentity;
  readonly registry: GpuRegistry;
}

/** So many take about 10 ms; the rest waits for the next cycle. */
const MOST_RECORDS = 1000;
/** As long as that of an event in an index line. */
const MAX_TEXT = 240;
/** Bridges between a port and a card below it. */
const MAX_DEPTH = 8;

class KernelLogSource implements Source {
  readonly name = "kernel";
  readonly #log: KernelLog;
  readonly #tree: Tree;
  readonly #host: HostIdentity;
  readonly #registry: GpuRegistry;
  readonly #bursts = new Bursts();
  readonly #waiting = new Waiting();
  /** Wall clock when the log was last read to its end: what is read next is not older. */
  #readTo_ms = Date.now();

  constructor(log: KernelLog, { root, host, registry }: KernelLogOptions) {
    this.#log = log;
    this.#tree = new Tree(root);
    this.#host = host;
    this.#registry = registry;
  }

  async read(cycle: Cycle): Promise<Reading> {
    const { records, lost, isCut } = this.#log.read(MOST_RECORDS);
    const errors = lost > 0 ? [`${this.name}: ${lost} messages were overwritten before they were read`] : [];
    const now_ms = Date.now();
    const found = this.#find(records, now_ms);
    if (!isCut) this.#readTo_ms = now_ms;
    await this.#knowCards(found, cycle);
    const heard = this.#bursts.join(
      found.map((one) => this.#withDevice(one)),
      cycle.monotonic_ms,
    );
    // What finds no room does not count as told: the driver's library may tell of the same.
    const dropped = this.#waiting.add(heard, (one) => this.#isNew(one));
    if (dropped > 0) errors.push(`${this.name}: too many events at once: ${dropped} are left out`);
    const events = this.#waiting.take().map((one) => this.#eventOf(one));
    const { size } = this.#waiting;
    if (size > 0) errors.push(`${this.name}: ${size} more events, told in the frames that follow`);
    return { ...(events.length > 0 && { events }), errors };
  }

  close(): void {
    this.#log.close();
  }

  #find(records: readonly KernelRecord[], now_ms: number): Omit<Heard, "device">[] {
    const kernels = records.filter(({ isKernels }) => isKernels);
    const found = findingsIn(kernels.map(({ message }) => message));
    const clock_ms = monotonic_ms();
    return found.map(({ at, finding }) => {
      const stamp_ms = now_ms - (clock_ms ?? 0) + (kernels[at]?.time_us ?? 0) / 1000;
      // The kernel's clock drifts, and a container's may have another origin.
      const t_ms = clock_ms === null ? now_ms : Math.min(now_ms, Math.max(this.#readTo_ms, stamp_ms));
      return { t_ms, finding };
    });
  }

  /** In the first cycle the cards' readers are not done yet, or not even asked. */
  async #knowCards(found: readonly Omit<Heard, "device">[], cycle: Cycle): Promise<void> {
    const isUnknown = ({ finding: { pci } }: Omit<Heard, "device">) =>
      pci !== null && this.#registry.cardAt(pci) === null;
    if (!found.some(isUnknown)) return;
    await Promise.resolve();
    await this.#registry.uses(cycle);
  }

  #withDevice({ t_ms, finding }: Omit<Heard, "device">): Heard {
    const pci = finding.pci === null ? null : (pciAddress(finding.pci) ?? finding.pci);
    return { t_ms, finding, device: pci === null ? null : (this.#cardAt(pci, 0) ?? pci) };
  }

  /** The card there, or the only one behind a port that speaks of its link. */
  #cardAt(pci: string, depth: number): string | null {
    const card = this.#registry.cardAt(pci);
    if (card !== null || depth === MAX_DEPTH) return card?.uuid ?? null;
    const below = this.#tree.names(`/sys/bus/pci/devices/${pci}`).filter((name) => pciAddress(name) === name);
    const cards = below.map((name) => this.#cardAt(name, depth + 1)).filter((uuid) => uuid !== null);
    return cards.length === 1 ? (cards[0] ?? null) : null;
  }

  #isNew({ device, t_ms, finding: { xid, severity } }: Heard): boolean {
    if (xid === undefined || device === null) return true;
    return this.#registry.isNewXid(device, xid, t_ms, severity);
  }

  #eventOf({ device, t_ms, finding: { kind, severity, text } }: Heard): FrameEvent {
    const t = new Date(t_ms).toISOString();
    return { kind, severity, t, host: this.#host.host_id, device, text: text.slice(0, MAX_TEXT).toWellFormed() };
  }
}

/**
 * Hears from the kernel's log what happens to GPUs and processes, from now on. No source where the log cannot be read;
 * that is no error of a frame: most users may not.
 */
export function kernelLogSources(options: KernelLogOptions): Source[] {
  if (!existsBelow(options.root, "/dev")) return [];
  // A device is the same wherever its node stands.
  const log = KernelLog.open(linkBelow(options.root, "/dev/kmsg"));
  return log === null ? [] : [new KernelLogSource(log, options)];
}
