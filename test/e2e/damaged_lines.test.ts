import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { recordFrames } from "./in_process.ts";
import { EXTENSIONS, isFrame, linesOf, scanned } from "./recordings.ts";
import { PROGRAM, record, SMALL, start, testFolder } from "./run.ts";
import { encodedUnits, type Unit } from "./units.ts";
import { everySecond, framesAt } from "./view_recordings.ts";

const root = testFolder();
const FRAMES = framesAt(everySecond(12));
/** The line that is damaged, or that a copy stands behind. */
const AT = 5;

const replaced = (line: Buffer, from: string, to: string | Buffer): Buffer => {
  const at = line.indexOf(from);
  expect(at).toBeGreaterThan(0);
  return Buffer.concat([line.subarray(0, at), Buffer.from(to), line.subarray(at + from.length)]);
};

type Damage = (line: Buffer, before: Buffer) => Buffer;

/** What becomes of a line; nothing else in the file changes. */
const LOST: readonly [what: string, damage: Damage][] = [
  ["a byte that is no UTF-8", (line) => replaced(line, "mock", Buffer.from([109, 0xff, 99, 107]))],
  ["a character that is cut off", (line) => replaced(line, "mock", Buffer.from([109, 111, 0xe2, 0x82]))],
  ["no JSON", (line) => replaced(line, '"gpus":[', '"gpus":[,')],
  ["zero bytes between", (line) => replaced(line, '"gpus":[', '"gpus":[\0\0\0')],
  ["a zero byte in a text", (line) => replaced(line, "mock-", "mock\0")],
  ["nothing but zero bytes", (line) => Buffer.alloc(line.length)],
  ["cut off in the middle", (line) => line.subarray(0, line.length / 2)],
  ["cut off behind a bracket, as if it were whole", (line) => line.subarray(0, line.indexOf("},{") + 1)],
  ["its first half missing", (line) => line.subarray(line.length / 2)],
  ["two lines in one", (line, before) => Buffer.concat([before, line])],
  ["a text where a section is due", (line) => replaced(line, '"errors":[]', '"errors":[],"memory":"none"')],
  ["a number where a text is due", (line) => replaced(line, '"hostname":"mock-0001"', '"hostname":5')],
  ["a text where a number is due, in a device", (line) => replaced(line, '"utilization":', '"utilization":"9","u":')],
  ["a list where a number is due, in a device", (line) => replaced(line, '"temperature":', '"temperature":[],"u":')],
  ["an object where a list is due", (line) => replaced(line, '"errors":[]', '"errors":{}')],
  ["an object where a label's text is due", (line) => replaced(line, '"detail":{', '"detail":{"a":{},')],
  ["a number where the time is due", (line) => replaced(line, '"timestamp":', '"timestamp":5,"u":')],
  ["a number where an error is due", (line) => replaced(line, '"errors":[]', '"errors":[5]')],
  ["another schema behind its first keys", (line) => replaced(line, '"errors":[]', '"errors":[],"schema":"1"')],
];

/** What stands behind it as well. */
const COPIES: readonly [what: string, copy: (lines: readonly Buffer[]) => Buffer[]][] = [
  ["the same line", (lines) => lines.slice(AT, AT + 1)],
  ["all lines so far", (lines) => lines.slice(0, AT + 1)],
  ["an earlier line", (lines) => lines.slice(2, 3)],
  ["its seq with other values", (lines) => lines.slice(AT, AT + 1).map((line) => replaced(line, "mock", "wock"))],
];

/** The lines of a recording in its units, as our recorder writes it: a header and frames, then an index line. */
async function recorded(extension: string, frames: readonly Frame[]): Promise<Buffer[][]> {
  const path = join(root, `sound-${crypto.randomUUID()}${extension}`);
  await recordFrames(path, frames);
  const lines = linesOf(await scanned(path)).map((line) => Buffer.from(JSON.stringify(line)));
  return [lines.slice(0, -1), lines.slice(-1)];
}

/** A file of these lines; without an index line it is as its recorder leaves it when it is killed. */
function write(extension: string, units: readonly Unit[], isIndexed: boolean): string {
  const path = join(root, `${crypto.randomUUID()}${extension}`);
  writeFileSync(path, encodedUnits(extension, isIndexed ? units : units.slice(0, 1)));
  return path;
}

async function info(path: string): Promise<Record<string, unknown>> {
  const { code, out, err } = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out);
}

/** The screen at the end, but for the status line; and what is said. */
async function screen(path: string): Promise<{ rows: string[]; err: string }> {
  const command = [...PROGRAM, "view", "--replay", path, "--once", "--size", "110x36", "--start", "100%"];
  const { code, out, err } = await start(command).ended;
  expect(code).toBe(0);
  return { rows: out.split("\n").slice(0, 35), err };
}

interface Told {
  readonly info: Record<string, unknown>;
  readonly screen: Awaited<ReturnType<typeof screen>>;
}

const told = async (path: string): Promise<Told> => ({ info: await info(path), screen: await screen(path) });

/** The file says and shows the same as one of the frames that are left alone, but for what it says of the damage. */
async function expectAs(path: string, sound: Told, skipped: number): Promise<void> {
  const found = await told(path);
  const { frames, first_t, last_t, elapsed_ms, hosts, devices, errors, gaps, events } = sound.info;
  expect(found.info).toMatchObject({ frames, first_t, last_t, elapsed_ms, hosts, devices, errors, gaps, events });
  expect([found.info.skipped_lines, sound.info.skipped_lines]).toEqual([skipped, 0]);
  expect(found.screen.rows).toEqual(sound.screen.rows);
  expect(found.screen.err).toMatch(new RegExp(`^all-smi: ${skipped} lines? skipped: `));
  expect(sound.screen.err).toBe("");
}

describe.each(EXTENSIONS)("a line between whole ones that is none, %s", (extension) => {
  const at = AT + 1;
  let left: Promise<Told> | null = null;

  test.each(LOST)("%s: skipped and counted, by info and the view, with and without an index", async (_what, damage) => {
    const [lines = [], last = []] = await recorded(extension, FRAMES);
    left ??= told(write(extension, [lines.toSpliced(at, 1)], false));
    const damaged = lines.with(at, damage(lines[at] ?? Buffer.alloc(0), lines[at - 1] ?? Buffer.alloc(0)));
    for (const isIndexed of [false, true]) await expectAs(write(extension, [damaged, last], isIndexed), await left, 1);
  });
});

describe.each(EXTENSIONS)("a frame whose seq does not grow is a copy, %s", (extension) => {
  let sound: Promise<Told> | null = null;

  test.each(COPIES)("%s", async (_what, copy) => {
    const [lines = [], last = []] = await recorded(extension, FRAMES);
    sound ??= told(write(extension, [lines], false));
    const copies = copy(lines.slice(1));
    const more = lines.toSpliced(AT + 2, 0, ...copies);
    for (const isIndexed of [false, true]) {
      await expectAs(write(extension, [more, last], isIndexed), await sound, copies.length);
    }
  });
});

describe.each(EXTENSIONS)("going on with it, %s", (extension) => {
  test("keeps all that is whole, and counts on", async () => {
    const [lines = [], last = []] = await recorded(extension, FRAMES);
    for (const [, damage] of LOST.slice(0, 3)) {
      const damaged = lines.with(AT, damage(lines[AT] ?? Buffer.alloc(0), Buffer.alloc(0)));
      for (const isIndexed of [false, true]) {
        const path = write(extension, [damaged, last], isIndexed);
        expect((await record("-o", path, "--duration", "0.2s", ...SMALL).ended).code).toBe(0);
        const found = await info(path);
        const seqs = linesOf(await soundText(path)).filter(isFrame);
        expect(found).toMatchObject({ frames: seqs.length, skipped_lines: 1, ended: "closed" });
        expect(seqs.length).toBeGreaterThan(FRAMES.length - 1);
        expect(new Set(seqs.map(({ seq }) => seq)).size).toBe(seqs.length);
        expect(seqs.at(-1)?.seq).toBe(seqs.length);
      }
    }
  });
});

/** The lines of a file that can be read. */
async function soundText(path: string): Promise<string> {
  const lines = (await scanned(path)).split("\n").filter((line) => {
    try {
      return JSON.parse(line).schema === 1 && !line.includes("\ufffd");
    } catch {
      return false;
    }
  });
  return lines.map((line) => `${line}\n`).join("");
}

test("another recording behind its header begins to count anew", async () => {
  for (const extension of EXTENSIONS) {
    const [one = []] = await recorded(extension, FRAMES);
    const [other = []] = await recorded(extension, FRAMES.slice(0, 3));
    expect(await info(write(extension, [[...one, ...other]], false))).toMatchObject({
      ...{ frames: FRAMES.length + 3, skipped_lines: 0 },
    });
    // Its own header again tells of no other recording.
    expect(await info(write(extension, [[...one, ...one]], false))).toMatchObject({
      ...{ frames: FRAMES.length, skipped_lines: FRAMES.length },
    });
  }
});

test("a seq that damage made too high makes no copies of those behind it", async () => {
  const [lines = []] = await recorded(".ndjson", FRAMES);
  const damaged = lines.with(AT, replaced(lines[AT] ?? Buffer.alloc(0), '"seq":4', '"seq":9000004'));
  expect(await info(write(".ndjson", [damaged], false))).toMatchObject({ frames: FRAMES.length, skipped_lines: 0 });
});
