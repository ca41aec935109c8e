import type { Gpu } from "../../../frame/schema.ts";
import { Tree } from "../../local/files.ts";
import { Paced } from "../../local/paced.ts";
import type { Cycle, HostIdentity } from "../../source.ts";
import { isOffBus, isPresent, isSuspended } from "../drm/cards.ts";
import type { AmdCard } from "./card.ts";
import { type FastReading, readFast } from "./fast.ts";
import { type Readings, rowOf, sharesMemory } from "./row.ts";
import { readSlow, type SlowReading } from "./slow.ts";
import { type Residencies, throttleBetween } from "./throttle.ts";

/** What seldom changes is read at this pace; much of it is asked of the card's firmware. */
const SLOW_EVERY_MS = 10_000;

/** How much of a cycle is waited for a card: some take tens of ms, and the process list waits for half a cycle. */
const SHARE_OF_CYCLE = 0.3;

/** What a cycle yields of one card. */
export interface CardReading {
  /** `null`: it is lost. */
  readonly row: Gpu | null;
  /** Why it is lost. */
  readonly lost: string | null;
  readonly sharesMemory: boolean;
  readonly errors: readonly string[];
}

/** Reads one card, for as long as it is there. A reading that hangs keeps nobody waiting, and none follows it. */
export class CardReader {
  readonly card: AmdCard;
  readonly #tree: Tree;
  readonly #fast: Paced<FastReading>;
  readonly #slow: Paced<SlowReading>;
  #residencies: Residencies | null = null;
  #throttle: readonly string[] | null = null;

  constructor(root: string, card: AmdCard) {
    this.card = card;
    // The driver says EINVAL where a card has nothing of the kind.
    this.#tree = new Tree(root, ["EINVAL"]);
    this.#fast = new Paced(0, () => readFast(this.#tree, card, card.sensors));
    this.#slow = new Paced(SLOW_EVERY_MS, () => readSlow(this.#tree, card, card.sensors, card.link));
  }

  async read(cycle: Cycle, host: HostIdentity): Promise<CardReading> {
    if (!isPresent(this.#tree, this.card)) return this.#lost("gone from /sys/class/drm");
    const asleep = isSuspended(this.#tree, this.card);
    const readings = asleep ? ASLEEP : await this.#readAwake(cycle);
    if (isSilent(readings.fast) && (await isOffBus(this.#tree, this.card)))
      return this.#lost("does not answer on the PCI bus");
    return {
      row: rowOf(this.card, readings, host, cycle.time),
      lost: null,
      sharesMemory: sharesMemory(this.card, readings.fast),
      errors: this.#errors(cycle.monotonic_ms),
    };
  }

  #errors(now_ms: number): readonly string[] {
    const { errors = [] } = this.#tree.finish("amd", {});
    const { length } = this.#tree.unanswered;
    const isHung = length > 0 || this.#fast.isHung(now_ms) || this.#slow.isHung(now_ms);
    return isHung ? [`amd: the driver does not answer for ${this.card.pci}`] : errors;
  }

  /** What cannot be read of it is no news then. */
  #lost(reason: string): CardReading {
    this.#tree.finish("amd", {});
    return { row: null, lost: reason, sharesMemory: false, errors: [] };
  }

  async #readAwake({ monotonic_ms, wait_ms }: Cycle): Promise<Readings> {
    const patience_ms = wait_ms * SHARE_OF_CYCLE;
    const [fast, slow] = await Promise.all([
      this.#fast.latest(monotonic_ms, patience_ms),
      this.#slow.latest(monotonic_ms, patience_ms),
    ]);
    return { fast, slow, throttle: this.#throttleOf(fast), isSuspended: false };
  }

  /** A reading that came late is the same twice: what it says stands. */
  #throttleOf(fast: FastReading | null): readonly string[] | null {
    const metrics = fast?.metrics ?? null;
    if (metrics === null || metrics.throttle !== null || metrics.residencies === null) return metrics?.throttle ?? null;
    if (metrics.residencies === this.#residencies) return this.#throttle;
    this.#throttle = throttleBetween(this.#residencies, metrics.residencies);
    this.#residencies = metrics.residencies;
    return this.#throttle;
  }
}

const isSilent = (fast: FastReading | null): boolean =>
  fast !== null && [fast.metrics, fast.busy, fast.edge, fast.hotspot, fast.power_w].every((value) => value === null);

const ASLEEP: Readings = { fast: null, slow: null, throttle: null, isSuspended: true };
