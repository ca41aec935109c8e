import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { codecs } from "../../src/recording/codec.ts";
import { codecOfName, recordFrames } from "./in_process.ts";
import { EXTENSIONS, framesOf, linesOf, scanned } from "./recordings.ts";
import { PROGRAM, record, SMALL, start, testFolder } from "./run.ts";
import { encodedUnits, type Unit } from "./units.ts";
import { everySecond, framesAt } from "./view_recordings.ts";

const root = testFolder();
const FRAMES = framesAt(everySecond(6));
const MOST_MEMORY_BYTES = 450 << 20;

type Index = Record<string, unknown> & { block: Record<string, unknown> };
type Claim = (index: Index, bytes: number) => unknown;

const HUGE = Number.MAX_SAFE_INTEGER;

/** What an index line may say of a file of six frames. */
const CLAIMS: readonly [what: string, claim: Claim][] = [
  ["more frames than there are", (index) => ({ ...index, seq: 99, block: { ...index.block, frames: 100 } })],
  [
    "as many frames as numbers go",
    (index) => ({ ...index, seq: HUGE, block: { ...index.block, first_seq: 1, frames: HUGE } }),
  ],
  [
    "frames with the last numbers there are",
    (index) => ({ ...index, seq: HUGE, block: { ...index.block, first_seq: HUGE - 5 } }),
  ],
  ["a time that is never over", (index) => ({ ...index, block: { ...index.block, elapsed_ms: HUGE } })],
  ["another last time", (index) => ({ ...index, block: { ...index.block, last_t: "2026-04-18T12:00:04.000Z" } })],
  ["no frames", (index) => ({ ...index, block: { ...index.block, frames: 0 } })],
  ["a block before the file", (index) => ({ ...index, byte_offset: -1 })],
  ["a block in the middle of another", (index) => ({ ...index, byte_offset: 100 })],
  ["a block at no number", (index) => ({ ...index, byte_offset: null })],
  ["a block beyond what numbers can say", (index) => ({ ...index, byte_offset: 2 ** 60 })],
  ["that it stands behind the end", (index, bytes) => ({ ...index, at: bytes * 2 })],
  ["an index line before it that is itself", (index) => ({ ...index, previous: index.at })],
  [
    "an index line before it that is none",
    (index) => ({ ...index, previous: 0, block: { ...index.block, first_seq: 3, frames: 3 } }),
  ],
  [
    "blocks before it that are not there",
    (index) => ({
      ...index,
      blocks: [
        { ...index, seq: 2 },
        { ...index, seq: 4 },
      ],
    }),
  ],
  ["texts where numbers are due", (index) => ({ ...index, seq: "5", block: { ...index.block, frames: "6" } })],
];

/** The units of a recording of ours. */
async function recorded(extension: string): Promise<Unit[]> {
  const path = join(root, `sound-${crypto.randomUUID()}${extension}`);
  await recordFrames(path, FRAMES);
  const lines = linesOf(await scanned(path)).map((line) => Buffer.from(JSON.stringify(line)));
  return [lines.slice(0, -1), lines.slice(-1)];
}

function newPath(extension: string): string {
  const folder = join(root, crypto.randomUUID());
  mkdirSync(folder);
  return join(folder, `t${extension}`);
}

/** Adds an index line at the end of a file, which tells of all that is before it. */
function addIndex(path: string, template: Buffer, claim: Claim): void {
  const at = statSync(path).size;
  const { previous: _, ...index } = JSON.parse(template.toString()) as Index;
  const line = claim({ ...index, byte_offset: 0, at } as Index, at);
  appendFileSync(path, codecs[codecOfName(path).name].encodeUnit(Buffer.from(`${JSON.stringify(line)}\n`)));
}

const PEAK_MEMORY = join(import.meta.dir, "peak_memory.ts");

async function expectScanned(path: string, frames: number): Promise<void> {
  for (const command of [
    ["info", path, "--json"],
    ["view", "--replay", path, "--once", "--start", "100%"],
  ]) {
    const peak = `${path}.peak`;
    const { code, out } = await start([process.execPath, PEAK_MEMORY, peak, ...PROGRAM, ...command]).ended;
    expect(code).toBe(0);
    expect(Number(readFileSync(peak, "utf8"))).toBeLessThan(MOST_MEMORY_BYTES);
    rmSync(peak);
    if (command[0] === "info") expect(JSON.parse(out)).toMatchObject({ frames, last_t: "2026-04-18T12:00:05.000Z" });
    else expect(out).toContain("12:00:05");
  }
}

/** What is recorded from now on counts behind the frames that are there. */
async function expectContinued(path: string, frames: number): Promise<void> {
  const { code, err } = await record("-o", path, "--duration", "0.2s", ...SMALL).ended;
  expect([code, err]).toEqual([0, expect.stringContaining(`${frames} frames so far`)]);
  const newest = framesOf(linesOf(await scanned(path))).slice(-1);
  const { out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  const found = JSON.parse(out) as { frames: number };
  expect(found.frames).toBeGreaterThan(frames);
  expect(newest[0]?.seq).toBe(found.frames - 1);
  expect(readdirSync(join(path, "..")).length).toBeLessThan(3);
}

describe.each(EXTENSIONS)("an index may claim anything, %s", (extension) => {
  test.each(CLAIMS)("%s: the file is scanned, and recording goes on", async (_what, claim) => {
    const [lines = [], [index = Buffer.alloc(0)] = []] = await recorded(extension);
    const path = newPath(extension);
    writeFileSync(path, encodedUnits(extension, [lines]));
    addIndex(path, index, claim);
    await expectScanned(path, FRAMES.length);
    await expectContinued(path, FRAMES.length);
  });

  test("a block with more text than is held", async () => {
    const [lines = [], [index = Buffer.alloc(0)] = []] = await recorded(extension);
    const path = newPath(extension);
    const encoder = codecs[codecOfName(path).name].encoder();
    const text = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
    writeFileSync(path, await encoder.flush(text));
    const blank = Buffer.alloc(1 << 20, `${" ".repeat(1023)}\n`);
    for (let n = 0; n < 80; n++) appendFileSync(path, await encoder.flush(blank));
    appendFileSync(path, await encoder.end());
    encoder.close();
    addIndex(path, index, (line) => line);
    await expectScanned(path, FRAMES.length);
    await expectContinued(path, FRAMES.length);
  });
});

test.each(EXTENSIONS)(
  "a file with a hole of gigabytes, %s: what an index line behind it tells is not taken",
  async (extension) => {
    const [lines = [], [index = Buffer.alloc(0)] = []] = await recorded(extension);
    const path = newPath(extension);
    writeFileSync(path, encodedUnits(extension, [lines]));
    truncateSync(path, 3 * 2 ** 30);
    if (extension === ".ndjson") appendFileSync(path, "\n");
    addIndex(path, index, (line) => line);
    await expectScanned(path, FRAMES.length);
    await expectContinued(path, FRAMES.length);
  },
);
