import { cleanText } from "../frame/clean_text.ts";
import type { Frame } from "../frame/frame.ts";
import { hostIds } from "../frame/hosts.ts";
import type { Block } from "../recording/block.ts";
import { openAfterBlock } from "../recording/block_summary.ts";
import type { Cursor, Position } from "../recording/cursor.ts";
import { openReplay, type Replay } from "../recording/replay.ts";
import type { SegmentFacts } from "../recording/segment_reader.ts";
import { refusedIn } from "../recording/timeline_events.ts";
import { isLocked } from "./file_lock.ts";
import type { InfoOptions } from "./info.ts";
import { writeStandardOutput } from "./standard_output.ts";
import { formatBytes, formatElapsed } from "./units.ts";

/** How a recording ended: `recording` is still being written, `killed` was left open. */
type Ended = "closed" | "recording" | "killed" | "unknown";

/** What `--json` prints; times in RFC 3339, UTC. */
interface Info {
  readonly path: string;
  readonly frames: number;
  readonly first_t: string;
  readonly last_t: string;
  readonly elapsed_ms: number;
  readonly interval_ms: number | null;
  /** As the format has it: `local` is one machine, `remote` any number of them, be they simulated. */
  readonly source: string | null;
  readonly timezone: string | null;
  readonly hosts: readonly string[];
  /**
   * How many there are of each name, in the first and the last frame and some between: a host may be down in any of
   * them. Those that have none are `unnamed GPU`, `unnamed CPU`.
   */
  readonly devices: Readonly<Record<string, number>>;
  readonly segments: readonly { path: string; bytes: number; codec: string; frames: number }[];
  readonly bytes: number;
  readonly bytes_per_frame: number;
  readonly errors: number;
  readonly gaps: number;
  /** Conditions that began and things that happened, by kind. */
  readonly events: Readonly<Record<string, number>>;
  /** Conditions that did not begin, as too many were on, by kind. */
  readonly refused_conditions: Readonly<Record<string, number>>;
  /** Of the conditions, those that were still on at the end, by kind; `null`: not known. */
  readonly still_on: Readonly<Record<string, number>> | null;
  readonly skipped_lines: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly refused: string | null;
  readonly ended: Ended;
  /** Behind the end of the newest segment: no part of the recording. */
  readonly foreign_bytes: number;
}

/** `all-smi info PATH`. Throws a UsageError where there is no recording. */
export async function info(path: string, { json }: InfoOptions): Promise<void> {
  const replay = await openReplay(path, false);
  try {
    await replay.store.complete();
    await replay.cursor.finishAnalysis();
    const found = await gather(path, replay);
    await writeStandardOutput(`${json ? JSON.stringify(found, null, 2) : describe(found)}\n`);
    if (found.refused !== null) {
      console.error(found.refused);
      process.exitCode = 2;
    }
  } finally {
    replay.cursor.close();
  }
}

async function gather(path: string, { cursor, store, header }: Replay): Promise<Info> {
  const frames = await someFrames(cursor, store.blocks);
  const [first, last] = [frames[0], frames.at(-1)];
  const { first_t_ms, last_t_ms, last_place_ms, frames: count } = cursor.range;
  const { segments, blocks } = store;
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const events = eventCounts(blocks);
  const { interval_ms = null, source = null, timezone = null } = header() ?? {};
  return {
    path,
    frames: count,
    first_t: new Date(first_t_ms).toISOString(),
    last_t: new Date(last_t_ms).toISOString(),
    elapsed_ms: last_place_ms,
    interval_ms,
    source: source ?? last?.source ?? null,
    timezone,
    hosts: hostsOf(store.hosts.all, [first, last]),
    devices: devicesOf(frames),
    segments: segments.map((one) => ({ path: one.path, bytes: one.bytes, codec: one.codec, frames: one.frames })),
    bytes,
    bytes_per_frame: Math.round((bytes / count) * 10) / 10,
    errors: blocks.reduce((sum, { findings }) => sum + (findings?.errors ?? 0), 0),
    gaps: events.gap ?? 0,
    events,
    refused_conditions: inOrder(refusedIn(blocks)),
    still_on: stillOn(blocks.at(-1)),
    skipped_lines: [...store.skipped.values()].reduce((sum, count) => sum + count, 0),
    skipped: Object.fromEntries(store.skipped),
    refused: store.refused,
    ended: endedOf(segments.at(-1)),
    foreign_bytes: segments.at(-1)?.foreign_bytes ?? 0,
  };
}

/** Each takes a block to be decoded. */
const MOST_LOOKS = 16;

/** The first frame, the last, and the first of some blocks between, evenly spread. */
async function someFrames(cursor: Cursor, blocks: readonly Block[]): Promise<Frame[]> {
  const every = Math.ceil(blocks.length / MOST_LOOKS);
  const found: (Position | null)[] = [await cursor.first()];
  for (let i = every; i < blocks.length; i += every) found.push(await cursor.seek(blocks[i]?.first_place_ms ?? 0));
  found.push(await cursor.last());
  return found.flatMap((one) => (one === null ? [] : [one.frame]));
}

function eventCounts(blocks: readonly Block[]): Record<string, number> {
  const counts = new Map<string, number>();
  const add = (kind: string, count: number) => counts.set(kind, (counts.get(kind) ?? 0) + count);
  for (const { findings } of blocks) {
    for (const { kind, state } of findings?.events ?? []) if (state !== "end") add(kind, 1);
    if (findings === null) continue;
    const ends = new Map(Object.entries(findings.more_ends));
    for (const [kind, count] of Object.entries(findings.more)) add(kind, Math.max(0, count - (ends.get(kind) ?? 0)));
  }
  return inOrder(counts);
}

const inOrder = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));

function stillOn(last: Block | undefined): Record<string, number> | null {
  const open = last?.findings ? openAfterBlock(last.findings) : null;
  if (open === null) return null;
  const counts = new Map<string, number>();
  for (const { kind } of open) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return inOrder(counts);
}

/** The hosts that headers name, else those that the first and the last frame have devices of. */
function hostsOf(named: readonly string[], frames: readonly (Frame | undefined)[]): string[] {
  if (named.length > 0) return [...named];
  return [...new Set(frames.flatMap((frame) => (frame === undefined ? [] : hostIds(frame))))];
}

/** Counted by host, and of each host as many as it ever had at once. */
function devicesOf(frames: readonly Frame[]): Record<string, number> {
  const most = new Map<string, Map<string, number>>();
  for (const frame of frames) {
    const byHost = Map.groupBy(namedDevices(frame), ({ host_id }) => host_id);
    for (const [host, devices] of byHost) {
      const known = most.getOrInsertComputed(host, () => new Map());
      for (const [name, { length }] of Map.groupBy(devices, (device) => device.name)) {
        known.set(name, Math.max(known.get(name) ?? 0, length));
      }
    }
  }
  const counts = new Map<string, number>();
  for (const known of most.values()) {
    for (const [name, count] of known) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return Object.fromEntries(counts);
}

const namedDevices = ({ gpus = [], cpus = [] }: Frame): { host_id: string; name: string }[] => [
  ...gpus.map(({ host_id, name, device_type }) => ({ host_id, name: name || `unnamed ${device_type}` })),
  ...cpus.map(({ host_id, cpu_model }) => ({ host_id, name: cpu_model || "unnamed CPU" })),
];

function endedOf(newest: SegmentFacts | undefined): Ended {
  if (newest === undefined || newest.ended === "unknown") return "unknown";
  // Between two segments a recorder holds the lock on the one that it has closed.
  if (isLocked(newest.path)) return "recording";
  return newest.ended === "closed" ? "closed" : "killed";
}

const ENDED: Readonly<Record<Ended, string>> = {
  closed: "closed cleanly",
  recording: "being recorded",
  killed: "its recorder was killed; what it had flushed is here, and recording to it again goes on",
  unknown: "it does not say",
};

/** More names than there are kinds of events; what has more of them is no recorder's. */
const MOST_NAMES = 40;

const list = (counts: Readonly<Record<string, number>>, none: string): string => {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (parts.length === 0) return none;
  const shown = parts.slice(0, MOST_NAMES).join(", ");
  return parts.length > MOST_NAMES ? `${shown}, … and ${parts.length - MOST_NAMES} more` : shown;
};

/** Names as a person reads them: the first few of many. */
const names = (all: readonly string[]): string =>
  all.length <= 6 ? all.join(", ") : `${all.slice(0, 5).join(", ")}, … ${all.at(-1)}`;

const codecWords = ([first]: Info["segments"]): string =>
  first?.codec === "none" ? "uncompressed" : (first?.codec ?? "");

function describe(info: Info): string {
  const { segments, bytes, frames } = info;
  const every = info.interval_ms === null ? "" : `, one every ${info.interval_ms / 1000} s`;
  const foreign = info.foreign_bytes === 0 ? "" : `, then ${formatBytes(info.foreign_bytes)} that are no part of it`;
  const parts = segments.length > 1 ? ` in ${segments.length} segments` : "";
  const rows: [string, string][] = [
    ["recording", segments.length === 1 ? (segments[0]?.path ?? info.path) : info.path],
    ["span", `${info.first_t} to ${info.last_t}, ${formatElapsed(info.elapsed_ms)}`],
    ["frames", `${frames}${every}`],
    ["hosts", `${info.hosts.length}: ${names(info.hosts)}`],
    ["devices", list(info.devices, "none")],
    ["size", `${formatBytes(bytes)} ${codecWords(segments)}${parts}, ${formatBytes(bytes / frames)} a frame`],
    ["gaps", String(info.gaps)],
    ["errors", String(info.errors)],
    ["events", list(info.events, "none")],
    ["ended", `${ENDED[info.ended]}${foreign}`],
  ];
  const refused = list(info.refused_conditions, "");
  if (refused !== "") rows.splice(-1, 0, ["refused", `${refused}: not recorded, too many at once`]);
  const on = list(info.still_on ?? {}, "");
  if (on !== "") rows.splice(-1, 0, ["still on", on]);
  if (info.skipped_lines > 0) rows.push(["skipped", list(info.skipped, "")]);
  if (info.refused !== null) rows.push(["stopped", info.refused]);
  return rows.map(([name, value]) => `${name.padEnd(10)} ${cleanText(value)}`).join("\n");
}
