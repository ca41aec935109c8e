import { isGraver, type Severity } from "../../frame/severity.ts";
import type { GpuUse, GpuUses } from "../local/process_rows.ts";
import type { Cycle } from "../source.ts";
import { xidSeverity } from "./nvidia/xid_texts.ts";

/** Where a card is and what it is called. */
export interface CardPlace {
  /** `0000:06:00.0`, as the kernel writes it. */
  readonly pci: string;
  readonly uuid: string;
  readonly index: number | null;
}

/** What a vendor's source tells the other sources of the machine. */
export interface VendorReport {
  readonly cards: readonly CardPlace[];
  readonly uses: GpuUses;
}

interface HeardXid {
  readonly t_ms: number;
  readonly severity: Severity;
}

/** An XID heard of by two ways is one; they are not further apart than this. */
const SAME_XID_MS = 15_000;

/**
 * What the readers of one machine's GPUs know, for its other sources: the process list joins who uses which card, the
 * kernel log names the card of a PCI address.
 */
export class GpuRegistry {
  readonly #reports = new Map<string, VendorReport>();
  readonly #pending = new Map<string, Promise<unknown>>();
  /** Of each device, when each XID was last told of, and how bad it was. */
  readonly #xids = new Map<string, Map<number, HeardXid>>();

  /** Says that `vendor` is read now: {@link uses} waits for it. */
  began(vendor: string, reading: Promise<unknown>): void {
    const settled = reading
      .catch(() => {})
      .finally(() => {
        if (this.#pending.get(vendor) === settled) this.#pending.delete(vendor);
      });
    this.#pending.set(vendor, settled);
  }

  /** Replaces what `vendor` said before. */
  report(vendor: string, report: VendorReport): void {
    this.#reports.set(vendor, report);
  }

  /**
   * Which process uses which cards, as read in this cycle, or, of a vendor that has not answered after half of it, as it
   * said last.
   */
  async uses(cycle: Cycle): Promise<GpuUses> {
    if (this.#pending.size > 0) await within(cycle.wait_ms / 2, Promise.all(this.#pending.values()));
    const uses = new Map<number, GpuUse[]>();
    for (const report of this.#reports.values()) {
      for (const [pid, devices] of report.uses) uses.set(pid, [...(uses.get(pid) ?? []), ...devices]);
    }
    return uses;
  }

  /** The card at a PCI address in any spelling: `PCI:0000:06:00`, `00000000:06:00.0`, `0000:06:00.0`. */
  cardAt(address: string): CardPlace | null {
    const wanted = pciAddress(address);
    if (wanted === null) return null;
    for (const { cards } of this.#reports.values()) {
      const found = cards.find(({ pci }) => pci === wanted);
      if (found) return found;
    }
    return null;
  }

  /**
   * Whether nobody told of this XID of this card shortly before, by driver or kernel log; nobody as bad as this: only the
   * log has the words that make one worse.
   */
  isNewXid(device: string, code: number, t_ms: number, severity = xidSeverity(code)): boolean {
    const heard = this.#xids.get(device) ?? new Map<number, HeardXid>();
    const last = heard.get(code);
    const isSame = last !== undefined && Math.abs(t_ms - last.t_ms) <= SAME_XID_MS;
    if (isSame && !isGraver(severity, last.severity)) return false;
    this.#xids.set(device, heard.set(code, { t_ms, severity }));
    return true;
  }

  /** The XIDs of a card that came at that time or later, by driver or kernel log. */
  xidsSince(device: string, t_ms: number): number[] {
    return [...(this.#xids.get(device) ?? [])].flatMap(([code, last]) => (last.t_ms >= t_ms ? [code] : []));
  }
}

/** A PCI address as the kernel writes it, `0000:06:00.0`; a function that is not named is 0. `null`: it is none. */
export function pciAddress(text: string): string | null {
  const [, domain = "0", bus, device, fn = "0"] =
    /^(?:PCI:)?(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})(?:\.([0-7]))?$/i.exec(text.trim()) ?? [];
  if (bus === undefined || device === undefined) return null;
  const hex = (digits: string, length: number) => Number.parseInt(digits, 16).toString(16).padStart(length, "0");
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}`;
}

async function within(wait_ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, wait_ms);
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
}
