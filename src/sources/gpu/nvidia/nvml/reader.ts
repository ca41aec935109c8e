import type { NvidiaCard, NvidiaProcess, NvidiaReading, Xid } from "../card.ts";
import { CardReader, type Moment } from "./card_reader.ts";
import { Complaints } from "./complaints.ts";
import { CardLost, Device, FIRST } from "./device.ts";
import { XidListener } from "./events.ts";
import { known } from "./identity.ts";
import { LAYOUTS } from "./layouts.ts";
import { type Nvml, unavailable } from "./nvml.ts";
import { describe, NO_PERMISSION, OPERATING_SYSTEM, SUCCESS } from "./returns.ts";
import { unknownRow } from "./row.ts";
import type { FunctionName } from "./signatures.ts";

const VERSION_BYTES = 80;
/** So long it is told which cards may not be opened: in a container, where that is as it should be, it is not news for ever. */
const CLOSED_TOLD_MS = 10_000;
/** A lost card may be back after a reset; only a new initialization finds it. */
const REOPEN_AFTER_MS = 30_000;
const REOPEN_AFTER_MOST_MS = 600_000;

const NONE: ReadonlySet<string> = new Set();
const NO_PROCESSES: readonly NvidiaProcess[] = [];
/** Why a card is lost that is not to be asked. */
const SKIPPED = "calls for it crash or hang";

/** What a card is called before its UUID is known. */
const placeOf = (index: number): string => `GPU ${index}`;

type DriverDetail = Readonly<Record<string, string>>;

/** A card that is counted but gives no handle. */
interface Mute {
  readonly index: number;
  readonly reason: string;
}

/** Reads all cards of the machine through an initialized library. */
export class NvmlReader {
  readonly #nvml: Nvml;
  readonly #startsCards: (name: FunctionName, card: string | null) => void;
  readonly #errors = new Set<string>();
  /** What is told in the first readings. */
  readonly #closed = new Set<string>();
  #closedUntil_ms: number | null = null;
  #cards: readonly CardReader[] | null = null;
  /** Cards of an earlier enumeration that the last one did not find. */
  #missing: readonly CardReader[] = [];
  /** Of each card, and all of them. */
  #lists: readonly (readonly NvidiaProcess[])[] = [];
  #processes: readonly NvidiaProcess[] = [];
  #mute: readonly Mute[] = [];
  #events: XidListener;
  #reopenAfter_ms = REOPEN_AFTER_MS;
  #reopenAt_ms: number | null = null;

  /** `startsCards` is told of calls that may take long, as they start cards. */
  constructor(nvml: Nvml, startsCards: (name: FunctionName, card: string | null) => void = () => {}) {
    this.#nvml = nvml;
    this.#startsCards = startsCards;
    this.#events = this.#listen();
  }

  /**
   * One cycle, without the cards in `skip`, by UUID or place. The cards' rows are good until the next one. Throws
   * NvmlUnavailable once the driver is gone.
   */
  read(moment: Moment, skip: ReadonlySet<string> = NONE): NvidiaReading {
    this.#errors.clear();
    const xids = this.#events.poll(moment.t_ms);
    if (this.#reopenAt_ms !== null && moment.monotonic_ms >= this.#reopenAt_ms) this.#reopen(skip);
    this.#cards ??= this.#enumerate([], skip);
    const cards: NvidiaCard[] = [];
    const lists: (readonly NvidiaProcess[])[] = [];
    for (const reader of this.#cards) {
      const isSkipped = skip.size > 0 && skip.has(reader.device.uuid);
      cards.push(isSkipped ? reader.lost(SKIPPED) : reader.read(moment, xids.length > 0 && isConcerned(reader, xids)));
      lists.push(isSkipped ? NO_PROCESSES : reader.processes);
    }
    this.#addAbsent(cards);
    this.#planReopening(cards, moment);
    this.#complain(moment);
    return { cards, processes: this.#join(lists), xids, errors: [...this.#errors] };
  }

  /** While none of the lists is another one it is the same list, too. */
  #join(lists: readonly (readonly NvidiaProcess[])[]): readonly NvidiaProcess[] {
    const areSame = lists.length === this.#lists.length && lists.every((list, n) => list === this.#lists[n]);
    if (!areSame) this.#processes = lists.flat();
    this.#lists = lists;
    return this.#processes;
  }

  #complain({ monotonic_ms }: Moment): void {
    this.#closedUntil_ms ??= monotonic_ms + CLOSED_TOLD_MS;
    if (monotonic_ms <= this.#closedUntil_ms) for (const words of this.#closed) this.#errors.add(words);
    for (const { complaints } of this.#cards ?? []) {
      const words = complaints.take(monotonic_ms);
      if (words !== null) this.#errors.add(words);
    }
  }

  #listen(): XidListener {
    return new XidListener(this.#nvml, (name, code) => this.#errors.add(`${name}: ${describe(code)}`));
  }

  /** What was counted without a handle is most likely one of those missing, and those have a name. */
  #addAbsent(cards: NvidiaCard[]): void {
    if (this.#missing.length + this.#mute.length === 0) return;
    const unnamed = this.#mute.slice(this.#missing.length);
    cards.push(
      ...this.#missing.map((reader, n) => reader.lost(this.#mute[n]?.reason ?? "GPU is not there any more")),
      ...unnamed.map(({ index, reason }) => ({ pci: "", lost: reason, row: unknownRow(placeOf(index), index) })),
    );
    cards.sort((a, b) => (a.row.index ?? 0) - (b.row.index ?? 0));
  }

  #planReopening(cards: readonly NvidiaCard[], { monotonic_ms }: Moment): void {
    if (cards.length > 0 && cards.every(({ lost }) => lost === null)) {
      this.#reopenAt_ms = null;
      this.#reopenAfter_ms = REOPEN_AFTER_MS;
    } else if (this.#reopenAt_ms === null) {
      this.#reopenAt_ms = monotonic_ms + this.#reopenAfter_ms;
      this.#reopenAfter_ms = Math.min(2 * this.#reopenAfter_ms, REOPEN_AFTER_MOST_MS);
    }
  }

  #reopen(skip: ReadonlySet<string>): void {
    this.#reopenAt_ms = null;
    for (const reader of this.#cards ?? []) reader.close();
    this.#startsCards("nvmlShutdown", null);
    this.#nvml.shutdown();
    this.#startsCards("nvmlInit_v2", null);
    this.#nvml.initialize();
    this.#events = this.#listen();
    this.#cards = this.#enumerate([...(this.#cards ?? []), ...this.#missing], skip);
  }

  #enumerate(before: readonly CardReader[], skip: ReadonlySet<string>): readonly CardReader[] {
    const detail = this.#readDriver();
    const found: CardReader[] = [];
    const mute: Mute[] = [];
    const count = this.#count();
    for (let index = 0; index < count; index++) {
      const isSkipped = skip.has(placeOf(index));
      const opened = isSkipped ? { index, reason: SKIPPED } : this.#open(index, detail, before);
      if (opened instanceof CardReader) found.push(opened);
      else if (opened !== null) mute.push(opened);
    }
    const uuids = new Set(found.map(({ device }) => device.uuid));
    this.#missing = before.filter(({ device, name }) => name.isKnown && !uuids.has(device.uuid));
    this.#mute = mute;
    return found;
  }

  /** Without it there is no telling that a card is not there: it counts as a driver that is out of order. */
  #count(): number {
    const { out } = this.#nvml;
    const code = this.#nvml.call("nvmlDeviceGetCount_v2", null, out.address);
    if (code !== SUCCESS) throw unavailable("nvmlDeviceGetCount_v2", code);
    return out.u32(FIRST);
  }

  /** `null`: not ours to see, as in a container that was given other cards. */
  #open(index: number, detail: DriverDetail, before: readonly CardReader[]): CardReader | Mute | null {
    const { out } = this.#nvml;
    const place = placeOf(index);
    const name = "nvmlDeviceGetHandleByIndex_v2";
    this.#startsCards(name, place);
    const code = this.#nvml.call(name, place, index, out.address);
    if (code === NO_PERMISSION || code === OPERATING_SYSTEM) {
      this.#closed.add(`${place} may not be opened: ${describe(code)}`);
      return null;
    }
    if (code !== SUCCESS) return { index, reason: describe(code) };
    const device = new Device(this.#nvml, out.u64(FIRST), place, new Complaints(place));
    try {
      return this.#meet(new CardReader(this.#nvml, device, index, detail), before);
    } catch (error) {
      if (!(error instanceof CardLost)) throw error;
      return { index, reason: error.message };
    }
  }

  #meet(reader: CardReader, before: readonly CardReader[]): CardReader {
    const { name, device } = reader;
    name.find();
    const known = before.find((one) => one.name.pci !== "" && one.name.pci === name.pci);
    if (known) name.inherit(known.device.uuid);
    this.#events.add(device);
    return reader;
  }

  /** The part of the cards' `detail` that is the driver's. */
  #readDriver(): DriverDetail {
    const { out } = this.#nvml;
    const read = (code: number, value: () => string): string | null => (code === SUCCESS ? value() : null);
    const driver = read(this.#nvml.call("nvmlSystemGetDriverVersion", null, out.address, VERSION_BYTES), () =>
      out.text(0, VERSION_BYTES),
    );
    const cuda = read(this.#nvml.call("nvmlSystemGetCudaDriverVersion_v2", null, out.address), () =>
      cudaVersion(out.i32(FIRST)),
    );
    const confidential = read(this.#nvml.call("nvmlSystemGetConfComputeState", null, out.address), () =>
      out.u32(LAYOUTS.nvmlConfComputeSystemState_t.ccFeature) === 0 ? "Disabled" : "Enabled",
    );
    return known({
      "Driver Version": driver,
      "CUDA Version": cuda,
      lib_name: cuda === null ? null : "CUDA",
      lib_version: cuda,
      confidential_compute: confidential,
    });
  }
}

/** `13010` is 13.1. */
const cudaVersion = (version: number): string => `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;

const isConcerned = ({ device }: CardReader, xids: readonly Xid[]): boolean =>
  xids.some(({ uuid }) => uuid === device.uuid);
