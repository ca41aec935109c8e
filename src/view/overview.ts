import type { Frame } from "../frame/frame.ts";
import { gpuNotes, gpuNumber, type Note } from "./gpus.ts";
import type { Host } from "./hosts.ts";
import type { Choices, HostOrder } from "./model.ts";
import { textWidth } from "./text.ts";
import { type GpuTotals, gpuTotals } from "./totals.ts";

/** A host as the overview shows it. */
export interface HostEntry {
  readonly host: Host;
  readonly totals: GpuTotals;
  /** The worst that is to be said of it. */
  readonly note: Note | null;
}

const RANK: Readonly<Record<Note["severity"], number>> = { information: 0, warning: 1, critical: 2 };

/** Higher is worse. A host that does not answer is worse than one with any broken GPU. */
export const troubleOf = ({ host, note }: HostEntry): number =>
  host.downReason !== null ? 3 : note === null ? 0 : RANK[note.severity];

function worstNote(host: Host): Note | null {
  let worst: Note | null = null;
  for (const [place, gpu] of host.gpus.entries()) {
    const [first] = gpuNotes(gpu);
    if (first === undefined || RANK[first.severity] <= (worst === null ? 0 : RANK[worst.severity])) continue;
    const [text = "", ...briefs] = [first.text, ...(first.briefs ?? [])].map(
      (words) => `#${gpuNumber(gpu, place)} ${words}`,
    );
    worst = { severity: first.severity, text, briefs };
  }
  return worst;
}

const entryOf = (host: Host): HostEntry => ({ host, totals: gpuTotals(host.gpus), note: worstNote(host) });

/** What does not answer: a host, or GPUs of it. That lasts, so nothing jumps about. */
const lostRank = ({ host }: HostEntry): number =>
  host.downReason !== null ? 2 : host.gpus.some(({ lost }) => lost) ? 1 : 0;

const ORDERS: Readonly<Record<Exclude<HostOrder, "given">, (a: HostEntry, b: HostEntry) => number>> = {
  default: (a, b) => lostRank(b) - lostRank(a),
  trouble: (a, b) => troubleOf(b) - troubleOf(a),
  utilization: (a, b) => (b.totals.utilization ?? -1) - (a.totals.utilization ?? -1),
  name: (a, b) => a.host.name.localeCompare(b.host.name, "en", { numeric: true }),
};

function matches({ host, note }: HostEntry, filter: string): boolean {
  const models = host.gpus.map(({ name }) => name);
  const text = [host.name, host.host_id, host.downReason ?? "", note?.text ?? "", ...models].join("\n");
  return text.toLowerCase().includes(filter.toLowerCase());
}

/** The hosts that the filter leaves, in the order chosen. */
export function shownHosts(hosts: readonly Host[], { hostOrder, filter }: Choices): HostEntry[] {
  const entries = hosts.map(entryOf).filter((entry) => filter === "" || matches(entry, filter));
  return hostOrder === "given" ? entries : entries.sort(ORDERS[hostOrder]);
}

/** What all names begin with, up to where they may be cut: behind a `-`, `.` or `_`, or before digits. */
function commonPrefix(names: readonly string[]): string {
  let prefix = names[0] ?? "";
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
  const cut = prefix.replace(/(?<!\d)\d+$/, "");
  return /[-._]$/.test(cut) || names.every((name) => /^\d/.test(name.slice(cut.length))) ? cut : "";
}

function commonDomain(names: readonly string[]): string {
  const [first = ""] = names;
  for (let dot = first.indexOf("."); dot >= 0; dot = first.indexOf(".", dot + 1)) {
    const domain = first.slice(dot);
    if (names.every((name) => name.endsWith(domain) && name.length > domain.length)) return domain;
  }
  return "";
}

/** Names without what all of them share, for where there is no room for that. */
export function shortNames(names: readonly string[]): string[] {
  if (names.length < 2) return [...names];
  const domain = commonDomain(names);
  const bare = names.map((name) => name.slice(0, name.length - domain.length));
  const prefix = commonPrefix(bare);
  return bare.map((name) => (name.length > prefix.length ? name.slice(prefix.length) : name));
}

export const widest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, textWidth(text)), 0);

export interface ScrapeCounts {
  readonly up: number;
  readonly down: number;
  /** The slowest answer, ms; `null` where no host was asked. */
  readonly slowest_ms: number | null;
}

export function scrapeCounts({ scrapes = [] }: Frame, hosts: readonly Host[]): ScrapeCounts {
  const down = hosts.filter(({ downReason }) => downReason !== null).length;
  let slowest_ms: number | null = null;
  for (const { latency_ms } of scrapes) {
    if (latency_ms !== null && latency_ms > (slowest_ms ?? -1)) slowest_ms = latency_ms;
  }
  return { up: hosts.length - down, down, slowest_ms };
}
