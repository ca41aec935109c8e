import fc from "fast-check";
import { frameLine } from "../src/frame/encode.ts";
import type { Frame } from "../src/frame/frame.ts";
import type { Gpu } from "../src/frame/schema.ts";
import { BlockCollector } from "../src/recording/block_summary.ts";
import { type Codec, type CodecName, codecs } from "../src/recording/codec.ts";
import { type Header, headerLine, type IndexEntry, type IndexLine, indexLine } from "../src/recording/lines.ts";
import { unknownFrame } from "./frames.ts";

/**
 * Random recordings of every kind that a reader meets: by this program with its index, or without, in one stream or in
 * many units, cut off, with lines between that are none, with an index that lies; of frames whose clocks jump.
 */

/** Who wrote a frame's line: this program, one that counts but keeps no time, one that only dates, the Rust tool. */
const STYLES = ["ours", "counted", "dated", "rust"] as const;
export type LineStyle = (typeof STYLES)[number];

export type LineRecipe =
  | { readonly kind: "frame"; readonly step_ms: number; readonly clockStep_ms: number; readonly busy: number | null }
  | { readonly kind: "again" | "header" }
  | { readonly kind: "rubbish"; readonly text: string };

/** Changes an index line before it is written. */
export interface Lie {
  readonly line: number;
  readonly key: LieKey;
  readonly by: number;
}

const LIE_KEYS = ["seq", "byte_offset", "at", "previous", "previous_summary", "blocks"] as const;
const BLOCK_LIE_KEYS = [
  "frames",
  "first_seq",
  "first_t_ms",
  "last_t_ms",
  "lowest_t_ms",
  "highest_t_ms",
  "first_elapsed_ms",
  "elapsed_ms",
] as const;
type LieKey = (typeof LIE_KEYS)[number] | (typeof BLOCK_LIE_KEYS)[number];

export interface SegmentRecipe {
  readonly codec: CodecName;
  /** Units with index lines as ours, units without, or all in one unit. */
  readonly shape: "indexed" | "units" | "stream";
  /** Encoded line by line, each flushed, or a unit at once. */
  readonly isFlushed: boolean;
  readonly unitLines: number;
  /** Every so many index lines one repeats the summaries. */
  readonly summaryEvery: number;
  readonly style: LineStyle;
  readonly lines: readonly LineRecipe[];
  readonly lies: readonly Lie[];
  /** Share of the file that is there. */
  readonly kept: number;
}

const rubbish = fc.constantFrom(
  "",
  "{}",
  "null",
  "no JSON",
  '{"schema":1}',
  '{"schema":1,"t":"yesterday","seq":1,"elapsed_ms":1}',
  '{"schema":1,"t":"2026-04-18T12:00:00.000Z","gpus":7}',
  '{"schema":1,"index":true,"seq":3,"byte_offset":100}',
  '{"schema":1,"seq":1',
  `{"schema":1,"text":"${"long ".repeat(200)}"`,
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant(1000) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
);
/** What the wall clock does besides. */
const clockStep = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -4_000_000, max: 4_000_000 }) },
);

const frameRecipe = fc.record({
  kind: fc.constant("frame" as const),
  step_ms: step,
  clockStep_ms: clockStep,
  busy: fc.option(fc.integer({ min: 0, max: 100 }), { freq: 5 }),
});
const otherRecipe = fc.oneof(
  fc.record({ kind: fc.constantFrom("again" as const, "header" as const) }),
  fc.record({ kind: fc.constant("rubbish" as const), text: rubbish }),
);

export interface RecipeLimits {
  /** One line in so many is no frame, or one that was there before; 0: none. */
  readonly oddEvery: number;
  readonly mostLines: number;
}

const linesArbitrary = ({ oddEvery, mostLines }: RecipeLimits): fc.Arbitrary<LineRecipe[]> => {
  const line: fc.Arbitrary<LineRecipe> =
    oddEvery === 0
      ? frameRecipe
      : fc.oneof({ weight: oddEvery, arbitrary: frameRecipe }, { weight: 1, arbitrary: otherRecipe });
  return fc.array(line, { maxLength: mostLines, size: "max" });
};

const lieArbitrary: fc.Arbitrary<Lie> = fc.record({
  line: fc.nat({ max: 20 }),
  key: fc.constantFrom<LieKey>(...LIE_KEYS, ...BLOCK_LIE_KEYS),
  by: fc.oneof(fc.constantFrom(-1, 1, 1000, -1000), fc.integer({ min: -300, max: 300 })),
});

/** A segment as a recorder or another tool leaves it, in any codec; with up to so many lies in its index. */
export const segmentArbitrary = (limits: RecipeLimits, lies: number): fc.Arbitrary<SegmentRecipe> =>
  anySegment(limits, lies).map((recipe) => (recipe.shape === "indexed" ? { ...recipe, style: "ours" } : recipe));

const anySegment = (limits: RecipeLimits, lies: number): fc.Arbitrary<SegmentRecipe> =>
  fc.record({
    codec: fc.constantFrom<CodecName>("zstd", "gzip", "none"),
    shape: lies > 0 ? fc.constant("indexed" as const) : fc.constantFrom("indexed", "indexed", "units", "stream"),
    isFlushed: fc.boolean(),
    unitLines: fc.integer({ min: 1, max: 30 }),
    summaryEvery: fc.integer({ min: 1, max: 4 }),
    style: fc.constantFrom("ours", "ours", ...STYLES),
    lines: linesArbitrary(limits),
    lies: fc.array(lieArbitrary, { minLength: Math.min(1, lies), maxLength: lies }),
    kept: fc.oneof(
      { weight: 2, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
    ),
  });

const [modelGpu] = unknownFrame.gpus ?? [];
const [modelCpu] = unknownFrame.cpus ?? [];

const gpuOf = (host: string, utilization: number | null): Gpu => {
  if (modelGpu === undefined) throw new Error("the model frame has no GPU");
  return { ...modelGpu, uuid: `GPU-${host}`, host_id: host, hostname: host, instance: host, utilization };
};

/** A small frame of two hosts; `busy` is where its numbers come from. */
export function smallFrame(t_ms: number, seq: number, elapsed_ms: number, busy: number | null): Frame {
  const cpus = modelCpu === undefined ? [] : [{ ...modelCpu, host_id: "a", hostname: "a", utilization: busy }];
  const gpus = [gpuOf("a", busy), gpuOf("b", busy === null ? null : 100 - busy)];
  return { t_ms, seq, elapsed_ms, source: "local", hostname: "a", errors: [], gpus, cpus };
}

/** The clocks of a recording, which go on from segment to segment. */
export interface Clock {
  t_ms: number;
  seq: number;
  elapsed_ms: number;
}

export const newClock = (): Clock => ({ t_ms: Date.UTC(2026, 3, 18, 12), seq: 0, elapsed_ms: 0 });

const HEADER: Header = {
  t_ms: Date.UTC(2026, 3, 18, 12),
  interval_ms: 1000,
  source: "local",
  hosts: ["a", "b"],
  all_smi_version: "0.1.0",
  recording: "odd",
  segment: 1,
  first_seq: 0,
  timezone: "UTC",
};

interface WrittenLine {
  readonly text: Buffer;
  readonly frame: Frame | null;
}

const lineOf = (text: string, frame: Frame | null = null): WrittenLine => ({ text: Buffer.from(`${text}\n`), frame });
const headerText = (): WrittenLine => ({ text: Buffer.from(headerLine(HEADER)), frame: null });

function frameText(frame: Frame, style: LineStyle): string {
  if (style === "ours") return frameLine(frame);
  if (style === "counted") return frameLine({ ...frame, elapsed_ms: null });
  if (style === "dated") return frameLine({ ...frame, seq: null, elapsed_ms: null });
  const { t: _t, seq: _seq, elapsed_ms: _elapsed, ...rest } = JSON.parse(frameLine(frame)) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function writtenLines({ lines, style }: SegmentRecipe, clock: Clock): WrittenLine[] {
  const written = [headerText()];
  let last: WrittenLine | null = null;
  for (const line of lines) {
    if (line.kind === "header") written.push(headerText());
    if (line.kind === "rubbish") written.push(lineOf(line.text));
    if (line.kind === "again" && last !== null) written.push(last);
    if (line.kind !== "frame") continue;
    clock.t_ms += line.step_ms + line.clockStep_ms;
    clock.elapsed_ms += line.step_ms;
    const frame = smallFrame(clock.t_ms, clock.seq++, clock.elapsed_ms, line.busy);
    last = lineOf(frameText(frame, style), frame);
    written.push(last);
  }
  return written;
}

async function encodeUnit(codec: Codec, lines: readonly WrittenLine[], isFlushed: boolean): Promise<Buffer> {
  const texts = lines.map(({ text }) => text);
  if (!isFlushed) return Buffer.from(codec.encodeUnit(Buffer.concat(texts)));
  const encoder = codec.encoder();
  try {
    const parts: Uint8Array[] = [];
    for (const text of texts) parts.push(await encoder.flush(text));
    parts.push(await encoder.end());
    return Buffer.concat(parts);
  } finally {
    encoder.close();
  }
}

const inUnits = (lines: readonly WrittenLine[], { shape, unitLines }: SegmentRecipe): WrittenLine[][] =>
  shape === "stream"
    ? [[...lines]]
    : Array.from({ length: Math.ceil(lines.length / unitLines) }, (_, n) =>
        lines.slice(n * unitLines, (n + 1) * unitLines),
      );

/** The chain of index lines of one file. */
class Chain {
  readonly #recipe: SegmentRecipe;
  #lines = 0;
  #previous: number | null = null;
  #previousSummary: number | null = null;
  #since: IndexEntry[] = [];

  constructor(recipe: SegmentRecipe) {
    this.#recipe = recipe;
  }

  add(lines: readonly WrittenLine[], byte_offset: number, at: number): Uint8Array {
    const collector = new BlockCollector({ interval_ms: HEADER.interval_ms, open: [] });
    for (const { frame } of lines) if (frame !== null) collector.add(frame, [], []);
    const entry = { byte_offset, at, ...collector.sum() };
    const isSummary = this.#since.length >= this.#recipe.summaryEvery - 1;
    const line: IndexLine = {
      ...entry,
      previous: this.#previous,
      end: false,
      blocks: isSummary ? this.#since : null,
      previous_summary: isSummary ? this.#previousSummary : null,
    };
    const told = this.#recipe.lies.filter((lie) => lie.line === this.#lines).reduce(lied, line);
    this.#lines++;
    this.#previous = at;
    this.#since = isSummary ? [] : [...this.#since, { ...entry, block: told.block }];
    if (isSummary) this.#previousSummary = at;
    return indexLine(told);
  }
}

const isBlockKey = (key: LieKey): key is (typeof BLOCK_LIE_KEYS)[number] =>
  (BLOCK_LIE_KEYS as readonly string[]).includes(key);

function lied(line: IndexLine, { key, by }: Lie): IndexLine {
  if (isBlockKey(key)) return { ...line, block: { ...line.block, [key]: Math.max(0, line.block[key] + by) } };
  if (key === "blocks") return { ...line, blocks: line.blocks?.slice(1) ?? [] };
  const value = line[key];
  return value === null ? line : { ...line, [key]: Math.max(0, value + by) };
}

/** A file of a recording, and the text that was put into it, unit by unit. */
export interface WrittenSegment {
  readonly bytes: Buffer;
  readonly units: readonly { readonly at: number; readonly end: number; readonly text: Buffer }[];
  readonly codec: Codec;
}

export async function writeSegment(recipe: SegmentRecipe, clock: Clock): Promise<WrittenSegment> {
  const codec = codecs[recipe.codec];
  const chain = new Chain(recipe);
  const units: { at: number; end: number; text: Buffer; bytes: Buffer }[] = [];
  let size = 0;
  const put = (bytes: Buffer, text: Buffer) => {
    units.push({ at: size, end: size + bytes.length, text, bytes });
    size += bytes.length;
  };
  for (const lines of inUnits(writtenLines(recipe, clock), recipe)) {
    const start = size;
    put(await encodeUnit(codec, lines, recipe.isFlushed), Buffer.concat(lines.map(({ text }) => text)));
    if (recipe.shape !== "indexed" || lines.every(({ frame }) => frame === null)) continue;
    const line = Buffer.from(chain.add(lines, start, size));
    put(Buffer.from(codec.encodeUnit(line)), line);
  }
  const bytes = Buffer.concat(units.map((unit) => unit.bytes));
  return { bytes: bytes.subarray(0, Math.round(bytes.length * recipe.kept)), units, codec };
}
