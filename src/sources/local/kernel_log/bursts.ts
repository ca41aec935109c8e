import type { Finding } from "./rule.ts";

/** A finding, when and of what. */
export interface Heard {
  readonly t_ms: number;
  /** UUID of the card, or a PCI address. */
  readonly device: string | null;
  readonly finding: Finding;
}

interface Burst {
  /** When it was last told of. */
  told_ms: number;
  /** Since then. */
  count: number;
  /** The first since then. */
  first: Heard;
}

/** A link that goes bad says so a thousand times a minute. */
const BURST_MS = 60_000;

/** Makes one event a minute of what comes in bursts. */
export class Bursts {
  readonly #bursts = new Map<string, Burst>();

  /** What there is to tell: `heard` and what was held back. `now_ms`: on a clock that nobody steps. */
  join(heard: readonly Heard[], now_ms: number): Heard[] {
    const told: Heard[] = [];
    for (const one of heard) {
      if (one.finding.burst === undefined) told.push(one);
      else this.#count(one, `${one.device} ${one.finding.burst}`);
    }
    for (const [key, burst] of this.#bursts) {
      if (now_ms - burst.told_ms < BURST_MS) continue;
      if (burst.count === 0) this.#bursts.delete(key);
      else told.push(counted(burst));
      burst.told_ms = now_ms;
      burst.count = 0;
    }
    return told.sort((a, b) => a.t_ms - b.t_ms);
  }

  #count(one: Heard, key: string): void {
    const burst = this.#bursts.get(key) ?? { told_ms: Number.NEGATIVE_INFINITY, count: 0, first: one };
    if (burst.count === 0) burst.first = one;
    burst.count++;
    this.#bursts.set(key, burst);
  }
}

function counted({ first, count }: Burst): Heard {
  if (count === 1) return first;
  return { ...first, finding: { ...first.finding, text: `${first.finding.text} (${count} times)` } };
}
