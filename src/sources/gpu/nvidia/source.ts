import type { FrameEvent } from "../../../frame/schema.ts";
import type { GpuUse, GpuUses } from "../../local/process_rows.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../../source.ts";
import type { MemoryUse } from "../machine_memory.ts";
import type { GpuRegistry } from "../registry.ts";
import { SHARED_MEMORY } from "../shared_memory.ts";
import type { NvidiaCard, NvidiaProcess, NvidiaReading, Xid } from "./card.ts";
import type { CardNames } from "./card_names.ts";
import { givenUpEvent, givenUpText, hungEvent } from "./given_up.ts";
import { CardRows } from "./rows.ts";
import { DriverHung, type GivenUp, LOOK_AGAIN_MS, type NvidiaWay } from "./way.ts";
import { xidEvent } from "./xid_texts.ts";

/** Loads the way's code, too. */
export type OpenWay = () => Promise<NvidiaWay>;

export interface NvidiaOptions {
  readonly host: HostIdentity;
  readonly registry: GpuRegistry;
  /** Whether it is worthwhile to look for cards. */
  readonly mayHaveCards: () => boolean;
  /** Whether the driver is there, so that it is an error when no way leads to its cards. */
  readonly hasDriver: () => boolean;
  readonly names: Pick<CardNames, "named">;
  /** Of cards that have none of their own. */
  readonly machineMemory: () => MemoryUse;
  /** The first one that leads to anything is taken. */
  readonly ways: readonly OpenWay[];
}

const NAME = "nvidia";

/** One with a driver that nothing can ask: somebody is likely to be at it. */
const LOOK_SOON_MS = 60_000;

const UNREADABLE = `${NAME}: the driver is there, but neither its library nor nvidia-smi was found`;

/** XID of which the driver does not say which, as NVML has it. */
const UNKNOWN_XID = 999;

class NvidiaSource implements Source {
  readonly name = NAME;
  readonly fromTwoReadings: boolean;
  readonly #options: NvidiaOptions;
  readonly #rows: CardRows;
  #way: NvidiaWay | null = null;
  /** Why the cards are not read as the user wants it. */
  #unmet: string | null = null;
  /** Those not tried yet. */
  #ways: OpenWay[] = [];
  #lookAt_ms = Number.NEGATIVE_INFINITY;
  /** There is a driver, and no way to ask it. */
  #isUnreadable = false;
  #isClosed = false;
  /** The process of which was told last that it is stuck in the driver. */
  #stuckPid: number | null = null;
  /** As they were read last, and who is in them. */
  #processes: readonly NvidiaProcess[] = [];
  #used: GpuUses = new Map();
  /** Events of readings that came into no frame. */
  readonly #untold: FrameEvent[] = [];

  constructor(options: NvidiaOptions) {
    this.#options = options;
    this.#rows = new CardRows(options.host, (uuid, t_ms) => options.registry.xidsSince(uuid, t_ms));
    this.fromTwoReadings = options.mayHaveCards();
  }

  read(cycle: Cycle): Reading | Promise<Reading> {
    if (this.#way === null && !this.#look(cycle)) return this.#withoutCards();
    const reading = this.#read(cycle);
    this.#options.registry.began(NAME, reading);
    return reading;
  }

  close(): void {
    this.#isClosed = true;
    this.#way?.close();
  }

  async #read(cycle: Cycle): Promise<Reading> {
    const reading = await this.#readCards(cycle);
    // What happens once must not go with a reading that comes into no frame.
    if (cycle.isOnlyForRates || cycle.signal.aborted) {
      this.#untold.push(...(reading.events ?? []));
      return reading;
    }
    const givenUp = this.#way?.takeGivenUp?.() ?? [];
    if (givenUp.length + this.#untold.length === 0) return reading;
    return {
      ...reading,
      errors: [...givenUp.map((one) => this.#errorOf(one)), ...(reading.errors ?? [])],
      events: [
        ...this.#untold.splice(0),
        ...(reading.events ?? []),
        ...givenUp.map((one) => this.#eventOf(one, cycle)),
      ],
    };
  }

  async #readCards(cycle: Cycle): Promise<Reading> {
    try {
      const reading = await this.#readByWays(cycle);
      if (reading !== null) return this.#handIn(reading, cycle);
      this.#isUnreadable = !this.#isClosed && this.#options.hasDriver();
      if (this.#isUnreadable) this.#lookAt_ms = cycle.monotonic_ms + LOOK_SOON_MS;
      return this.#withoutCards();
    } catch (error) {
      // Who used the cards before may have ended since.
      this.#processes = [];
      this.#used = new Map();
      this.#report(this.#used);
      const words = error instanceof Error ? error.message : String(error);
      const events = error instanceof DriverHung ? this.#hangs(error, cycle) : [];
      return {
        gpus: this.#rows.rows(cycle, false),
        errors: this.#told([words]),
        ...(events.length > 0 && { events }),
      };
    }
  }

  /** Once for each process that is stuck. */
  #hangs(hung: DriverHung, { t_ms }: Cycle): FrameEvent[] {
    if (hung.pid === this.#stuckPid) return [];
    this.#stuckPid = hung.pid;
    return [hungEvent(hung, t_ms, this.#options.host.host_id)];
  }

  #told(words: readonly string[]): string[] {
    const unmet = this.#unmet === null ? [] : [`${this.#unmet}; nvidia-smi is asked instead`];
    return [...unmet, ...words].map((one) => `${NAME}: ${one}`);
  }

  #withoutCards(): Reading {
    return { gpus: [], ...(this.#isUnreadable && { errors: [UNREADABLE] }) };
  }

  #errorOf(givenUp: GivenUp): string {
    const { card } = givenUp;
    const index = card === null ? null : this.#rows.indexOf(card);
    const name = index === null ? (givenUp.place ?? card) : `GPU ${index}`;
    return `${NAME}: ${name === null ? "" : `${name}: `}${givenUpText(givenUp)}`;
  }

  /** Of a card that is in the frames, under its UUID, as all events of it are. */
  #eventOf(givenUp: GivenUp, { t_ms }: Cycle): FrameEvent {
    const { card, place } = givenUp;
    const isInFrames = card !== null && this.#rows.indexOf(card) !== null;
    return givenUpEvent(givenUp, isInFrames ? card : (place ?? card), t_ms, this.#options.host.host_id);
  }

  /** Whether there may be cards, asked seldom. */
  #look({ monotonic_ms }: Cycle): boolean {
    if (monotonic_ms < this.#lookAt_ms) return false;
    this.#lookAt_ms = monotonic_ms + LOOK_AGAIN_MS;
    this.#isUnreadable = false;
    this.#unmet = null;
    if (!this.#options.mayHaveCards()) return false;
    this.#ways = [...this.#options.ways];
    return true;
  }

  /** By the way that was taken, or by the first one that leads to anything; `null`: none does. */
  async #readByWays(cycle: Cycle): Promise<NvidiaReading | null> {
    const began_ms = performance.now();
    for (;;) {
      this.#way ??= (await this.#ways.shift()?.()) ?? null;
      if (this.#way === null || this.#isClosed) return null;
      const left_ms = Math.max(0, cycle.wait_ms - (performance.now() - began_ms));
      const reading = await this.#way.read({ ...cycle, wait_ms: left_ms });
      if (reading !== null) return reading;
      this.#unmet = this.#way.unmet ?? null;
      this.#way.close();
      this.#way = null;
    }
  }

  #handIn({ cards, processes, xids, errors }: NvidiaReading, cycle: Cycle): Reading {
    const events = this.#events(xids);
    this.#rows.update(this.#withMachineMemory(cards.map((card) => this.#options.names.named(card))), cycle);
    if (processes !== this.#processes) this.#used = this.#uses(processes);
    this.#processes = processes;
    this.#report(this.#used);
    const told = this.#told(errors);
    return {
      gpus: this.#rows.rows(cycle, true),
      ...(told.length > 0 && { errors: told }),
      ...(events.length > 0 && { events }),
    };
  }

  #withMachineMemory(cards: readonly NvidiaCard[]): readonly NvidiaCard[] {
    if (!cards.some(sharesMemory)) return cards;
    const memory = this.#options.machineMemory();
    return cards.map((card) => (sharesMemory(card) ? { ...card, row: { ...card.row, ...memory } } : card));
  }

  #events(xids: readonly Xid[]): FrameEvent[] {
    const { registry, host } = this.#options;
    return xids
      .filter(({ uuid, code, t_ms }) => registry.isNewXid(uuid, code ?? UNKNOWN_XID, t_ms))
      .map(({ uuid, code, t_ms }) => xidEvent(code, t_ms, host.host_id, uuid));
  }

  #report(uses: GpuUses): void {
    this.#options.registry.report(NAME, { cards: this.#rows.places, uses });
  }

  #uses(processes: readonly NvidiaProcess[]): GpuUses {
    const uses = new Map<number, GpuUse[]>();
    for (const { pid, uuid, used_memory, utilization } of processes) {
      const use = { device_id: this.#rows.indexOf(uuid), device_uuid: uuid, used_memory, gpu_utilization: utilization };
      uses.set(pid, [...(uses.get(pid) ?? []), use]);
    }
    return uses;
  }
}

const sharesMemory = ({ row, lost }: NvidiaCard): boolean => lost === null && row.detail.memory === SHARED_MEMORY;

/** NVIDIA's cards. Where there are none, no process is kept, and none is started before there may be some. */
export const nvidiaSource = (options: NvidiaOptions): Source => new NvidiaSource(options);
