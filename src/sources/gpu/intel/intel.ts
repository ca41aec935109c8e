import { Tree } from "../../local/files.ts";
import type { Cycle, Reading, Source } from "../../source.ts";
import { findCards, isPresent } from "../drm/cards.ts";
import type { DrmClients, DrmUse } from "../drm/clients.ts";
import type { CardIndexes } from "../drm/indexes.ts";
import type { GpuOptions } from "../gpus.ts";
import { LostRows } from "../lost_rows.ts";
import { describeCard, type IntelCard } from "./card.ts";
import { CardReader } from "./reader.ts";
import { type CardUse, parseKernel, seesAllProcesses, UNKNOWN_USE, useOfCard, usesOf } from "./uses.ts";

/** Cards come with a driver that is loaded, or are put in: looked for again now and then. */
const SEARCH_EVERY_MS = 10_000;

const GONE = "gone from /sys/class/drm";

/** Intel's cards, by what the kernel's drivers i915 and xe show in sysfs and of open files, no library and no tool. */
export const intelSource = (options: GpuOptions, clients: DrmClients, indexes: CardIndexes): Source =>
  new IntelSource(options, clients, indexes);

class IntelSource implements Source {
  readonly name = "intel";
  readonly fromTwoReadings = true;
  readonly #options: GpuOptions;
  readonly #clients: DrmClients;
  readonly #indexes: CardIndexes;
  readonly #tree: Tree;
  readonly #readers = new Map<string, CardReader>();
  readonly #lost = new LostRows();
  #searched_ms = Number.NEGATIVE_INFINITY;
  #isSecond = false;

  constructor(options: GpuOptions, clients: DrmClients, indexes: CardIndexes) {
    this.#options = options;
    this.#clients = clients;
    this.#indexes = indexes;
    this.#tree = new Tree(options.root);
  }

  read(cycle: Cycle): Reading | Promise<Reading> {
    this.#search(cycle.monotonic_ms);
    if (this.#readers.size === 0) return this.#tree.finish(this.name, { gpus: [] });
    const reading = this.#read(cycle);
    this.#options.registry.began(this.name, reading);
    return reading;
  }

  async #read(cycle: Cycle): Promise<Reading> {
    const readers = [...this.#readers.values()];
    const cards = readers.map(({ card }) => card);
    const drm = await this.#clients.uses(
      cycle,
      cards.map(({ pci }) => pci),
    );
    this.#options.registry.report(this.name, { cards, uses: usesOf(cards, drm) });
    const useOf = this.#useOf(drm);
    const readings = await Promise.all(
      readers.map((reader) => reader.read(cycle, this.#options.host, useOf(reader.card))),
    );
    const rows = readings.map(({ row }) => row).filter((row) => row !== null);
    const reasons = new Map(cards.map(({ uuid }, i) => [uuid, readings[i]?.lost ?? GONE]));
    const gpus = this.#lost.complete(rows, (uuid) => reasons.get(uuid) ?? GONE, cycle);
    const errors = [...(this.#tree.finish(this.name, {}).errors ?? []), ...readings.flatMap((one) => one.errors)];
    return { gpus, ...(errors.length > 0 && { errors }) };
  }

  /** How busy clients are is known from the second reading on. */
  #useOf(drm: readonly DrmUse[]): (card: IntelCard) => CardUse {
    const isKnown = this.#isSecond && seesAllProcesses(this.#tree);
    this.#isSecond = true;
    if (!isKnown) return () => UNKNOWN_USE;
    const kernel = parseKernel(this.#tree.text("/proc/sys/kernel/osrelease"));
    return (card) => useOfCard(card, drm, kernel);
  }

  /** A card keeps its index, also when it comes back under another name. */
  #search(now_ms: number): void {
    const isDue = now_ms - this.#searched_ms >= SEARCH_EVERY_MS;
    if (!isDue && [...this.#readers.values()].every(({ card }) => isPresent(this.#tree, card))) return;
    this.#searched_ms = now_ms;
    for (const found of findCards(this.#tree, ["i915", "xe"])) {
      const known = this.#readers.get(found.pci);
      if (known?.card.name === found.name) continue;
      const card = describeCard(this.#tree, found, this.#indexes.of(found.pci));
      this.#readers.set(card.pci, new CardReader(this.#options.root, card));
    }
  }
}
