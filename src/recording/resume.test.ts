import { expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { crowdedFrames, eventfulStretches, framesOf, frameWith, gpu } from "../../test/event_frames.ts";
import { Detector } from "../events/detector.ts";
import type { DetectedEvent } from "../events/event.ts";
import { decodeLine } from "../frame/decode.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { AppendFile } from "./append_file.ts";
import { openAfterBlock } from "./block_summary.ts";
import { FileBytes } from "./bytes.ts";
import { readChain, readIndexAt } from "./chain.ts";
import { type CodecName, codecs } from "./codec.ts";
import { decodeHeader, type IndexEntry } from "./lines.ts";
import { numberedAmong, segmentPath } from "./name.ts";
import { openRecording } from "./open.ts";
import { scanLines } from "./scan.ts";
import { SegmentWriter } from "./segment_writer.ts";

const INTERRUPTIONS = ["full disk", "kill", "cut", "close", "new segment", "new segment, kill"] as const;

/** What becomes of the recorder behind some frame; one that is started again has this interval. */
interface Interruption {
  readonly kind: (typeof INTERRUPTIONS)[number];
  readonly interval_ms: number;
}

/** Records as the recorder does. A block ends early where the disk was full before a frame. */
class Driver {
  readonly #path: string;
  readonly #codec: CodecName;
  #detector: Detector | null = null;
  #writer: SegmentWriter | null = null;
  #lock: AppendFile | null = null;
  #segment = 1;
  #seq = 0;

  constructor(path: string, codec: CodecName) {
    this.#path = path;
    this.#codec = codec;
  }

  async open(interval_ms: number): Promise<void> {
    const target = { path: this.#path, codec: codecs[this.#codec], source: "local", hostname: "node-1" } as const;
    const { file, lock, repair, unclosed, last, open, segment } = await openRecording(target);
    this.#detector = new Detector({ interval_ms, open, last_ms: last?.elapsed_ms ?? null });
    this.#segment = segment;
    this.#seq = last === null ? 0 : last.seq + 1;
    this.#lock = lock;
    if (file === null) return;
    await file.truncate(repair?.keepBytes ?? 0);
    if (repair !== null) await file.append(repair.closing);
    this.#writer = this.#writerOn(file, interval_ms, repair && { chain: repair.chain, unclosed });
  }

  #writerOn(file: AppendFile, interval_ms: number, continued: ConstructorParameters<typeof SegmentWriter>[4]) {
    const header = {
      t_ms: 0,
      interval_ms,
      source: "local" as const,
      hosts: ["node-1"],
      all_smi_version: "0.0.0",
      recording: "test",
      segment: this.#segment,
      file: basename(this.#path),
      first_seq: this.#seq,
      timezone: "UTC",
    };
    return new SegmentWriter(file, codecs[this.#codec], header, this.#detector as Detector, continued);
  }

  async append(frame: Frame, interval_ms: number): Promise<void> {
    if (this.#writer === null) {
      await this.#lock?.close();
      this.#lock = await AppendFile.create(this.#path);
      this.#writer = this.#writerOn(this.#lock, interval_ms, null);
    }
    const numbered = { ...frame, seq: this.#seq };
    await this.#writer.append(numbered, Buffer.from(`${frameLine(numbered)}\n`));
    this.#seq++;
  }

  /** The next frame does not find room at first. */
  async fail(frame: Frame, interval_ms: number): Promise<void> {
    const file = this.#writer?.file;
    if (file === undefined) return;
    const { append } = file;
    file.append = () => Promise.reject(new Error("disk full"));
    await expect(this.append(frame, interval_ms)).rejects.toThrow("disk full");
    file.append = append;
  }

  async endSegment(): Promise<void> {
    await this.#writer?.end();
    renameSync(this.#path, segmentPath(this.#path, this.#segment++));
    this.#writer = null;
  }

  async stop(cleanly: boolean): Promise<void> {
    if (cleanly) await this.#writer?.end();
    this.#writer?.abandon();
    await this.#lock?.close();
    this.#writer = null;
  }
}

async function play(
  path: string,
  codec: CodecName,
  frames: readonly Frame[],
  interruptions: ReadonlyMap<number, Interruption>,
): Promise<void> {
  const driver = new Driver(path, codec);
  let interval_ms = 1000;
  await driver.open(interval_ms);
  for (const [n, frame] of frames.entries()) {
    const { kind, interval_ms: next_ms } = interruptions.get(n) ?? { kind: null, interval_ms };
    if (kind === "full disk") await driver.fail(frame, interval_ms);
    await driver.append(frame, interval_ms);
    if (kind === null || kind === "full disk") continue;
    if (kind.startsWith("new segment")) await driver.endSegment();
    if (kind === "new segment") continue;
    await driver.stop(kind === "close");
    if (kind === "cut") truncateSync(path, Math.max(0, statSync(path).size - 3));
    interval_ms = next_ms;
    await driver.open(interval_ms);
  }
  await driver.stop(true);
}

/** What one would find who reads all lines from the first to the last. */
async function scan(paths: readonly string[]) {
  const detector = new Detector({ interval_ms: null });
  const found: { readonly seq: number; readonly open: DetectedEvent[]; readonly events: DetectedEvent[] }[] = [];
  for (const path of paths) {
    const file = FileBytes.open(path);
    for await (const scanned of scanLines(file, codecs[codecOf(path)])) {
      const line = "line" in scanned ? decodeLine(Buffer.from(scanned.line).toString()) : null;
      if (line?.kind === "header") detector.restart(decodeHeader(line.value).interval_ms);
      if (line?.kind !== "frame") continue;
      const seq = line.frame.seq ?? -1;
      const { open } = detector;
      found.push({ seq, open, events: detector.add(line.frame, { seq, elapsed_ms: line.frame.elapsed_ms ?? -1 }) });
    }
    file.close();
  }
  return found;
}

const codecOf = (path: string): CodecName => (path.endsWith(".zst") ? "zstd" : path.endsWith(".gz") ? "gzip" : "none");

/** All blocks as the index has them, each also read from its own line. */
function indexed(paths: readonly string[]): IndexEntry[] {
  return paths.flatMap((path) => {
    const file = FileBytes.open(path);
    const codec = codecs[codecOf(path)];
    const entries = readChain(file, codec)?.entries ?? [];
    // Its own line says more of a block than what is repeated of it.
    const own = entries.map((entry) => ({
      ...entry,
      block: readIndexAt(file, codec, entry.at)?.index.block ?? entry.block,
    }));
    const repeated = ({ block }: IndexEntry) => ({ ...block, open_after: null });
    // Where too much would have to be repeated, events are not.
    const isRepeated = (_: IndexEntry, n: number) => entries[n]?.block.events !== null;
    expect(own.filter(isRepeated).map(repeated)).toEqual(entries.filter(isRepeated).map(repeated));
    file.close();
    return own;
  });
}

/** Places among the frames, in thousandths of their number. */
const interruptionsArbitrary = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 999 }),
    fc.record({
      kind: fc.oneof(fc.constant(INTERRUPTIONS[0]), fc.constantFrom(...INTERRUPTIONS)),
      interval_ms: fc.constantFrom(1000, 1000, 10_000),
    }),
  ),
  { maxLength: 20, size: "max" },
);

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "events-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function expectSameEvents(files: readonly string[]): Promise<void> {
  const scanned = await scan(files);
  expect(scanned.length).toBeGreaterThan(0);
  let n = 0;
  for (const { seq, block } of indexed(files)) {
    const own = scanned.slice(n, n + block.frames);
    n += block.frames;
    expect([own[0]?.seq, own.at(-1)?.seq]).toEqual([block.first_seq, seq]);
    expect(block.open).toEqual(own[0]?.open ?? []);
    const events = own.flatMap((one) => one.events);
    if (Object.keys(block.more).length === 0) expect(block.events).toEqual(events);
    else expect(events).toEqual(expect.arrayContaining([...(block.events ?? [])]));
    expect(block.open_after === null).toBe(Object.keys(block.more).length === 0);
    expect(openAfterBlock(block)).toEqual(scanned[n]?.open ?? openAfterBlock(block));
    const counts = Object.values(block.more).reduce((sum, count) => sum + count, block.events?.length ?? 0);
    expect(counts).toBe(events.length);
  }
  expect(n).toBe(scanned.length);
}

test("the index tells the events that a scan finds, and what was on, whatever became of the recorders", async () => {
  const codec = fc.constantFrom<CodecName>("none", "none", "zstd", "gzip");
  const rows = fc.oneof(
    { weight: 4, arbitrary: eventfulStretches.map(framesOf) },
    { weight: 1, arbitrary: crowdedFrames },
  );
  const property = fc.asyncProperty(rows, interruptionsArbitrary, codec, async (frames, chosen, codec) => {
    const interruptions = new Map(chosen.map(([place, one]) => [Math.floor((place / 1000) * frames.length), one]));
    await inFolder(async (folder) => {
      const path = join(folder, `r${codecs[codec].extension}`);
      await play(path, codec, frames, interruptions);
      const segments = numberedAmong(path, readdirSync(folder)).map((one) => one.path);
      await expectSameEvents(existsSync(path) ? [...segments, path] : segments);
    });
  });
  await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 30_000 });
}, 60_000);

test("what was on at the end of a file that is not continued is on in the next one", async () => {
  const hot = [92, 93, 94].map((celsius, n) => frameWith([gpu(0, { celsius })], { seq: n, elapsed_ms: n * 1000 }));
  await inFolder(async (folder) => {
    const path = join(folder, "r.ndjson");
    writeFileSync(path, hot.map((frame) => `${frameLine(frame)}\n`).join(""));
    await play(path, "none", hot, new Map());
    const [adopted] = numberedAmong(path, readdirSync(folder));
    const scanned = await scan([adopted?.path ?? "", path]);
    const [entry] = indexed([path]);
    expect(scanned[3]?.open.map(({ kind, seq }) => [kind, seq])).toEqual([["temperature", 0]]);
    expect(entry?.block.open).toEqual(scanned[3]?.open ?? []);
    expect(entry?.block.events).toEqual([]);
  });
});
