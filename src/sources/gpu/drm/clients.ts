import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { below } from "../../local/below_root.ts";
import { AT_ONCE } from "../../local/files.ts";
import type { Cycle } from "../../source.ts";
import { type DrmClient, type EngineTime, parseFdinfo } from "./fdinfo.ts";
import { PatientFiles } from "./patient_files.ts";

/** What a process does with one card. */
export interface DrmUse {
  readonly pid: number;
  /** PCI address of the card. */
  readonly pci: string;
  /** Bytes by kind of memory, as the driver calls them. */
  readonly memory: ReadonlyMap<string, number>;
  /** Percent of an engine's time since the reading before; without those of which there is no reading before. */
  readonly engines: ReadonlyMap<string, number>;
}

/** Drivers whose clients somebody here asks for. */
const DRIVERS = ["amdgpu", "i915", "xe"];

/** Finding a client takes a look at every descriptor of every process: 3 µs each, so each process has its turn. */
const SEARCH_EVERY_MS = 10_000;

/** Of a cycle, for all files together and for one: those of a card that hangs do not answer. */
const SHARE_OF_CYCLE = 1 / 4;
const SHARE_OF_FILE = 1 / 16;

/** They hold what they opened for a display server. */
const SEAT_MANAGERS = ["systemd-logind", "elogind-daemon", "elogind", "seatd"];

/** An open file of a client; of several, in one process or several, the one that was found first. */
interface Known {
  readonly pid: number;
  readonly file: string;
  client: DrmClient;
  at_ms: number;
  rates: ReadonlyMap<string, number>;
}

type ReadClient = (file: string) => Promise<DrmClient | "late" | null>;

/** Who uses the machine's DRM cards, from `/proc/PID/fdinfo`. What belongs to others and may not be read is not seen. */
export class DrmClients {
  readonly #proc: string;
  readonly #files: PatientFiles;
  readonly #known = new Map<string, Known>();
  #read_ms = Number.NEGATIVE_INFINITY;
  #update: Promise<void> | null = null;
  #searched_ms = Number.NEGATIVE_INFINITY;
  /** Where the search goes on. */
  #next = 0;

  /** @param root Prefix of `/proc`. */
  constructor(root: string, files = new PatientFiles()) {
    this.#proc = below(root, "/proc");
    this.#files = files;
  }

  /**
   * Reads them, once a cycle whoever asks; nothing at all where no card is asked for. Of a file that does not answer
   * stands what it said last.
   */
  async uses(cycle: Cycle, cards: readonly string[]): Promise<DrmUse[]> {
    if (cards.length === 0) return [];
    if (cycle.monotonic_ms !== this.#read_ms) this.#begin(cycle);
    await this.#update;
    const uses = new Map<string, Known[]>();
    for (const known of this.#known.values()) {
      if (!cards.includes(known.client.pci)) continue;
      const key = `${known.pid} ${known.client.pci}`;
      uses.set(key, [...(uses.get(key) ?? []), known]);
    }
    return [...uses.values()]
      .map(useOf)
      .filter((use) => use !== null)
      .sort((a, b) => a.pid - b.pid || (a.pci < b.pci ? -1 : 1));
  }

  #begin(cycle: Cycle): void {
    if (this.#update !== null) return;
    this.#read_ms = cycle.monotonic_ms;
    this.#update = this.#readAll(cycle).finally(() => {
      this.#update = null;
    });
  }

  async #readAll({ monotonic_ms, wait_ms }: Cycle): Promise<void> {
    const end_ms = performance.now() + wait_ms * SHARE_OF_CYCLE;
    const read: ReadClient = (file) =>
      this.#readClient(file, Math.min(wait_ms * SHARE_OF_FILE, end_ms - performance.now()));
    // Where the time does not suffice for all, each has its turn.
    const turn = [...this.#known].sort(([, a], [, b]) => a.at_ms - b.at_ms);
    for (const [key, known] of turn) if (!(await refresh(known, monotonic_ms, read))) this.#known.delete(key);
    await this.#search(monotonic_ms, read);
  }

  /** All processes at first, then so many that each has its turn in time. */
  async #search(now_ms: number, read: ReadClient): Promise<void> {
    const pids = list(this.#proc).map(Number).filter(Number.isSafeInteger).sort(ascending);
    const share = Math.min(1, (now_ms - this.#searched_ms) / SEARCH_EVERY_MS);
    this.#searched_ms = now_ms;
    const count = Math.ceil(pids.length * share);
    const from = pids.findIndex((pid) => pid >= this.#next);
    const turn = [...pids.slice(Math.max(0, from)), ...pids.slice(0, Math.max(0, from))].slice(0, count);
    for (const pid of turn) await this.#searchProcess(pid, now_ms, read);
    this.#next = (turn.at(-1) ?? 0) + 1;
  }

  async #searchProcess(pid: number, now_ms: number, read: ReadClient): Promise<void> {
    const descriptors = list(`${this.#proc}/${pid}/fd`).filter((fd) => isDrmFile(`${this.#proc}/${pid}/fd/${fd}`));
    if (descriptors.length === 0 || SEAT_MANAGERS.includes(nameOf(`${this.#proc}/${pid}/comm`))) return;
    for (const descriptor of descriptors) {
      const file = `${this.#proc}/${pid}/fdinfo/${descriptor}`;
      const client = await read(file);
      if (client === null || client === "late" || this.#known.has(keyOf(client))) continue;
      this.#known.set(keyOf(client), { pid, file, client, at_ms: now_ms, rates: new Map() });
    }
  }

  async #readClient(file: string, patience_ms: number): Promise<DrmClient | "late" | null> {
    const answer = await this.#files.read(file, patience_ms);
    if (answer === "late") return existsSync(file) ? "late" : null;
    const client = answer === "gone" ? null : parseFdinfo(answer.text);
    return client !== null && DRIVERS.includes(client.driver) ? client : null;
  }
}

/** `false` where it is gone. */
async function refresh(known: Known, now_ms: number, read: ReadClient): Promise<boolean> {
  const client = await read(known.file);
  if (client === "late") return true;
  if (client === null || keyOf(client) !== keyOf(known.client)) return false;
  known.rates = ratesBetween(known, client, now_ms);
  known.client = { ...client, engines: withoutFalls(known.client.engines, client.engines) };
  known.at_ms = now_ms;
  return true;
}

const keyOf = ({ pci, client_id }: DrmClient): string => `${pci} ${client_id}`;

const ascending = (a: number, b: number): number => a - b;

/** A driver may say less than before, until it has caught up: what it said before stands as long. */
function withoutFalls(before: DrmClient["engines"], after: DrmClient["engines"]): Map<string, EngineTime> {
  const entries = [...after].map(([name, time]) => {
    const known = before.get(name);
    return [name, known !== undefined && known.busy > time.busy ? { ...time, busy: known.busy } : time] as const;
  });
  return new Map(entries);
}

/** Percent by engine. An engine that was not listed before had done nothing yet for this client. */
function ratesBetween({ client: before, at_ms }: Known, after: DrmClient, now_ms: number): Map<string, number> {
  const rates = new Map<string, number>();
  for (const [name, { busy, total, capacity }] of after.engines) {
    const earlier = before.engines.get(name);
    const passed = total === null ? (now_ms - at_ms) * 1e6 : total - (earlier?.total ?? total);
    if (passed > 0) rates.set(name, (100 * Math.max(0, busy - (earlier?.busy ?? 0))) / passed / capacity);
  }
  return rates;
}

/** Its clients of one card together. */
function useOf(clients: readonly Known[]): DrmUse | null {
  const [first] = clients;
  if (first === undefined) return null;
  const memory = new Map<string, number>();
  const engines = new Map<string, number>();
  for (const { client, rates } of clients) {
    for (const [kind, bytes] of client.memory) memory.set(kind, (memory.get(kind) ?? 0) + bytes);
    for (const [name, percent] of rates) engines.set(name, Math.min(100, (engines.get(name) ?? 0) + percent));
  }
  return { pid: first.pid, pci: first.client.pci, memory, engines };
}

/** Of several engines the busiest; `null` where none is known. */
export const busiest = (engines: ReadonlyMap<string, number>): number | null =>
  engines.size === 0 ? null : Math.max(...engines.values());

function isDrmFile(link: string): boolean {
  try {
    return /^\/dev\/dri\/(card|renderD)\d/.test(readlinkSync(link));
  } catch {
    return false;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function nameOf(comm: string): string {
  try {
    return readFileSync(comm, { encoding: "utf8", flag: AT_ONCE }).trim();
  } catch {
    return "";
  }
}
