import type { Gpu } from "../../../frame/schema.ts";
import { Tree } from "../../local/files.ts";
import { Paced } from "../../local/paced.ts";
import type { Cycle, HostIdentity } from "../../source.ts";
import { isOffBus, isPresent, isSuspended } from "../drm/cards.ts";
import type { IntelCard } from "./card.ts";
import { EnergyMeter, type FastReading, readFast, readSlow, type SlowReading } from "./readings.ts";
import { type Readings, rowOf } from "./row.ts";
import type { CardUse } from "./uses.ts";

/** Behind some of these files the driver asks the card's firmware. */
const SLOW_EVERY_MS = 10_000;

/** For the row and the frame there must be time left. */
const SHARE_OF_CYCLE = 0.5;

/** What a cycle yields of one card. */
export interface CardReading {
  /** `null`: it is lost. */
  readonly row: Gpu | null;
  /** Why it is lost. */
  readonly lost: string | null;
  readonly errors: readonly string[];
}

/** Reads one card, for as long as it is there. A reading that hangs keeps nobody waiting, and none follows it. */
export class CardReader {
  readonly card: IntelCard;
  readonly #tree: Tree;
  readonly #fast: Paced<FastReading>;
  readonly #slow: Paced<SlowReading>;
  readonly #meter = new EnergyMeter();
  #last: FastReading | null = null;
  #power_w: number | null = null;

  constructor(root: string, card: IntelCard) {
    this.card = card;
    // What the firmware of a card does not know.
    this.#tree = new Tree(root, ["EINVAL"]);
    this.#fast = new Paced(0, (now_ms) => readFast(this.#tree, card, now_ms));
    this.#slow = new Paced(SLOW_EVERY_MS, () => readSlow(this.#tree, card));
  }

  async read(cycle: Cycle, host: HostIdentity, use: CardUse): Promise<CardReading> {
    if (!isPresent(this.#tree, this.card)) return this.#lost("gone from /sys/class/drm");
    const readings = isSuspended(this.#tree, this.card) ? this.#asleep(use) : await this.#readAwake(cycle, use);
    if (isSilent(readings.fast) && (await isOffBus(this.#tree, this.card))) {
      return this.#lost("does not answer on the PCI bus");
    }
    const row = rowOf(this.card, readings, host, cycle.time);
    return { row, lost: null, errors: this.#errors(cycle.monotonic_ms) };
  }

  /** What cannot be read of it is no news then. */
  #lost(reason: string): CardReading {
    this.#tree.finish("intel", {});
    return { row: null, lost: reason, errors: [] };
  }

  /** What it takes until it sleeps is no measure of when it is awake again. */
  #asleep(use: CardUse): Readings {
    return { fast: null, slow: null, power_w: this.#powerOf(null), use, isSuspended: true };
  }

  async #readAwake({ monotonic_ms, wait_ms }: Cycle, use: CardUse): Promise<Readings> {
    const patience_ms = wait_ms * SHARE_OF_CYCLE;
    const [fast, slow] = await Promise.all([
      this.#fast.latest(monotonic_ms, patience_ms),
      this.#slow.latest(monotonic_ms, patience_ms),
    ]);
    return { fast, slow, power_w: this.#powerOf(fast), use, isSuspended: false };
  }

  /** A reading that came late is the same twice: what it says stands. */
  #powerOf(fast: FastReading | null): number | null {
    if (fast === null || fast !== this.#last) this.#power_w = this.#meter.power(fast);
    this.#last = fast;
    return this.#power_w;
  }

  #errors(now_ms: number): readonly string[] {
    const { errors = [] } = this.#tree.finish("intel", {});
    const { length } = this.#tree.unanswered;
    const isHung = length > 0 || this.#fast.isHung(now_ms) || this.#slow.isHung(now_ms);
    return isHung ? [`intel: the driver does not answer for ${this.card.pci}`] : errors;
  }
}

const isSilent = (fast: FastReading | null): boolean =>
  fast !== null && [fast.clock_mhz, fast.temperature, ...fast.energies_uj].every((value) => value === null);
