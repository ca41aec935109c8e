import { gpuFields } from "../../../frame/schema.ts";
import { throttleNames } from "../../gpu/nvidia/nvml/words.ts";
import { plausible } from "../../plausible.ts";
import { type Places, type Setter, setterOf } from "../paths.ts";
import type { GpuDraft } from "./gpu_table.ts";

/** Where a family's value goes in a GPU. */
export interface GpuPlace {
  readonly path: string;
  readonly set: Setter;
  /** Of several families with one path the lowest that is there counts. */
  readonly rank: number;
}

type Choices = Readonly<Record<string, readonly (string | readonly [family: string, factor: number])[]>>;

/** Families with a place of their own, and by path those that say the same, the best first. */
export function gpuPlaces(places: Places, choices: Choices): ReadonlyMap<string, GpuPlace> {
  const found = new Map<string, GpuPlace>();
  for (const [family, place] of Object.entries(places)) {
    const [path, factor] = typeof place === "string" ? [place, 1] : place;
    found.set(family, { path, set: setterOf(gpuFields, path, factor), rank: 0 });
  }
  for (const [path, families] of Object.entries(choices)) {
    for (const [rank, one] of families.entries()) {
      const [family, factor] = typeof one === "string" ? [one, 1] : one;
      found.set(family, { path, set: setterOf(gpuFields, path, factor), rank });
    }
  }
  return found;
}

/** Behind every family of the card's own. */
const OF_A_PART = 1000;

/** The values of a page's GPUs: the order in which series come decides nothing between families. */
export class GpuValues {
  readonly #ranks = new Map<GpuDraft, Map<string, number>>();

  /** `isPart`: a part of the card (an instance, a partition) says it; then it counts where the card says nothing. */
  put(gpu: GpuDraft, { path, set, rank }: GpuPlace, value: number, isPart = false): void {
    const own = isPart ? rank + OF_A_PART : rank;
    let ranks = this.#ranks.get(gpu);
    if (ranks === undefined) {
      ranks = new Map();
      this.#ranks.set(gpu, ranks);
    }
    if ((ranks.get(path) ?? Number.POSITIVE_INFINITY) >= own && set(gpu, value)) ranks.set(path, own);
  }
}

/** What is put together from several series: those of parts of a card count where it has none of its own. */
class CardOrPart<T> {
  readonly #own = new Map<GpuDraft, T>();
  readonly #ofParts = new Map<GpuDraft, T>();
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  at(gpu: GpuDraft, isPart: boolean): T {
    const values = isPart ? this.#ofParts : this.#own;
    const known = values.get(gpu) ?? this.#make();
    values.set(gpu, known);
    return known;
  }

  chosen(): ReadonlyMap<GpuDraft, T> {
    return new Map([...this.#ofParts, ...this.#own]);
  }
}

type Kind = "single_bit" | "double_bit";

/** Memory pages that were taken out of use, by what was wrong with them; known where both are. */
export class RetiredPages {
  readonly #pages = new CardOrPart<Map<Kind, number>>(() => new Map());

  put(gpu: GpuDraft, kind: Kind, pages: number, isPart = false): void {
    if (plausible("count", pages) !== null) this.#pages.at(gpu, isPart).set(kind, pages);
  }

  finish(): void {
    for (const [gpu, pages] of this.#pages.chosen()) {
      const [single, double] = [pages.get("single_bit"), pages.get("double_bit")];
      if (single !== undefined && double !== undefined) setRetired(gpu, single + double);
    }
  }
}

const setRetired = setterOf(gpuFields, "health.retired_pages");

/** Reasons that are named; the others (idle, display clocks) are no throttling. */
const NAMED_REASONS = 0xff;

/** Why the clocks of a page's GPUs are held down. */
export class Throttle {
  readonly #reasons = new CardOrPart<Set<string>>(() => new Set());

  /** `null`: one that is not named is active. */
  put(gpu: GpuDraft, reason: string | null, isActive: boolean, isPart = false): void {
    const reasons = this.#reasons.at(gpu, isPart);
    if (isActive && reason !== null) reasons.add(reason);
  }

  /** A mask as NVML and DCGM have it. */
  putMask(gpu: GpuDraft, mask: number, isPart = false): void {
    const reasons = this.#reasons.at(gpu, isPart);
    for (const reason of throttleNames(mask & NAMED_REASONS)) reasons.add(reason);
  }

  finish(): void {
    for (const [gpu, reasons] of this.#reasons.chosen()) gpu.health = { ...gpu.health, throttle: [...reasons] };
  }
}
