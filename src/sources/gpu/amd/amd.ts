import { Tree } from "../../local/files.ts";
import type { Cycle, Reading, Source } from "../../source.ts";
import { findCards, isPresent } from "../drm/cards.ts";
import type { DrmClients } from "../drm/clients.ts";
import type { CardIndexes } from "../drm/indexes.ts";
import type { GpuOptions } from "../gpus.ts";
import { LostRows } from "../lost_rows.ts";
import { type AmdCard, describeCard } from "./card.ts";
import { KfdProcesses } from "./kfd.ts";
import { CardReader } from "./reader.ts";
import { usesOf } from "./uses.ts";

/** Cards come with a driver that is loaded, or are put in: looked for again now and then. */
const SEARCH_EVERY_MS = 10_000;

const GONE = "gone from /sys/class/drm";

/** AMD's cards, by what the kernel's driver amdgpu shows in sysfs: docs.kernel.org, "AMDgpu", no library and no tool. */
export function amdSource(options: GpuOptions, clients: DrmClients, indexes: CardIndexes): Source {
  return new AmdSource(options, clients, indexes);
}

class AmdSource implements Source {
  readonly name = "amd";
  readonly fromTwoReadings = true;
  readonly #options: GpuOptions;
  readonly #clients: DrmClients;
  readonly #indexes: CardIndexes;
  readonly #tree: Tree;
  readonly #kfd: KfdProcesses;
  readonly #readers = new Map<string, CardReader>();
  readonly #lost = new LostRows();
  #searched_ms = Number.NEGATIVE_INFINITY;

  constructor(options: GpuOptions, clients: DrmClients, indexes: CardIndexes) {
    this.#options = options;
    this.#clients = clients;
    this.#indexes = indexes;
    this.#tree = new Tree(options.root);
    this.#kfd = new KfdProcesses(this.#tree);
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
    const pcis = readers.map(({ card }) => card.pci);
    const [drm, readings] = await Promise.all([
      this.#clients.uses(cycle, pcis),
      Promise.all(readers.map((reader) => reader.read(cycle, this.#options.host))),
    ]);
    const cards = readers.map(({ card }, i) => ({ ...card, sharesMemory: readings[i]?.sharesMemory ?? false }));
    const uses = usesOf(cards, drm, this.#kfd.uses());
    this.#options.registry.report(this.name, { cards, uses });
    const rows = readings.map(({ row }) => row).filter((row) => row !== null);
    const reasons = new Map(cards.map(({ uuid }, i) => [uuid, readings[i]?.lost ?? GONE]));
    const gpus = this.#lost.complete(rows, (uuid) => reasons.get(uuid) ?? GONE, cycle);
    const errors = [...(this.#tree.finish(this.name, {}).errors ?? []), ...readings.flatMap((one) => one.errors)];
    return { gpus, ...(errors.length > 0 && { errors }) };
  }

  /** A card keeps its index, also when it comes back under another name. */
  #search(now_ms: number): void {
    const isDue = now_ms - this.#searched_ms >= SEARCH_EVERY_MS;
    if (!isDue && [...this.#readers.values()].every(({ card }) => isPresent(this.#tree, card))) return;
    this.#searched_ms = now_ms;
    for (const found of findCards(this.#tree, ["amdgpu"])) {
      const known = this.#readers.get(found.pci);
      if (known?.card.name === found.name) continue;
      const card = describeCard(this.#tree, found, this.#indexes.of(found.pci));
      this.#readers.set(card.pci, new CardReader(this.#options.root, this.#withOwnUuid(card)));
    }
  }

  /** Two dies of one card can say the same id. */
  #withOwnUuid(card: AmdCard): AmdCard {
    const isTaken = [...this.#readers.values()].some(
      (other) => other.card.uuid === card.uuid && other.card.pci !== card.pci,
    );
    return isTaken ? { ...card, uuid: card.pci } : card;
  }
}
