import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bareFrame, openRecorder, recordFrames, writeFrames } from "./in_process.ts";
import { complaint, counted, EXTENSIONS, framesOf, readFrames, readLines, scanned, seqsOf } from "./recordings.ts";
import { type Outcome, record, SMALL, testFolder } from "./run.ts";

const root = testFolder();
const RUST = resolve(import.meta.dir, "..", "fixtures", "rust");
const COMPRESSED = EXTENSIONS.filter((extension) => extension !== ".ndjson");

let folders = 0;
function newPath(extension: string): { folder: string; path: string } {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return { folder, path: join(folder, `t${extension}`) };
}

const frames = (count: number) => counted(count).map((n) => bareFrame(n, `cpu: ${n}`));

/** A recording of three frames, as its recorder leaves it when it is killed, or stopped. */
async function bytesOf(extension: string, end: "killed" | "closed"): Promise<Buffer> {
  const { path } = newPath(extension);
  const recorder = await openRecorder(path);
  await writeFrames(recorder, frames(3));
  const killed = readFileSync(path);
  await recorder.close();
  return end === "killed" ? killed : readFileSync(path);
}

const goOn = (path: string): Promise<Outcome> => record("-o", path, "--duration", "0.2s", ...SMALL).ended;

/** Recording goes on in the same file, which is sound then. */
async function expectContinued(folder: string, path: string, before: number): Promise<void> {
  const { code, err } = await goOn(path);
  const continues = before === 0 ? [] : [`all-smi: continues ${path}, ${before} frames so far`];
  expect([code, err.split("\n").slice(0, -2)]).toEqual([0, continues]);
  expect(readdirSync(folder)).toEqual([path.slice(folder.length + 1)]);
  expect(complaint(path)).toBe("");
  const after = await readFrames(path);
  expect(after.length).toBeGreaterThan(before);
  expect(seqsOf(after)).toEqual(counted(after.length));
}

/** What was there is the segment before now, byte for byte, and counting goes on after its `before` frames. */
async function expectSetAside(folder: string, path: string, before: number, options: string[] = []): Promise<void> {
  const bytes = readFileSync(path);
  const { code } = await record("-o", path, "--duration", "0.2s", ...SMALL, ...options).ended;
  expect(code).toBe(0);
  const [aside, active, ...more] = readdirSync(folder).sort();
  expect([aside, active, more]).toEqual([active?.replace("t.", "t.0001."), path.slice(folder.length + 1), []]);
  expect(readFileSync(join(folder, aside ?? "")).equals(bytes)).toBe(true);
  expect(complaint(path)).toBe("");
  const lines = await readLines(path);
  expect(lines[0]).toMatchObject({ header: true, segment: 2, first_seq: before });
  expect(seqsOf(lines)).toEqual(counted(framesOf(lines).length, before));
}

describe.concurrent.each(EXTENSIONS)("after a power loss, %s", (extension) => {
  test.each(["killed", "closed"] as const)("zero bytes at the end of a file that was %s", async (end) => {
    const { folder, path } = newPath(extension);
    writeFileSync(path, Buffer.concat([await bytesOf(extension, end), Buffer.alloc(5000)]));
    await expectContinued(folder, path, 3);
  });

  test.each([0, 1, 300_000])("a file of %d zero bytes is a recording without frames", async (size) => {
    const { folder, path } = newPath(extension);
    writeFileSync(path, Buffer.alloc(size));
    await expectContinued(folder, path, 0);
  });

  test("a file of zero bytes after segments goes on counting", async () => {
    const { folder, path } = newPath(extension);
    writeFileSync(path.replace("t.", "t.0007."), await bytesOf(extension, "closed"));
    writeFileSync(path, Buffer.alloc(100));
    expect((await goOn(path)).code).toBe(0);
    expect(readdirSync(folder).length).toBe(2);
    expect((await readLines(path))[0]).toMatchObject({ segment: 8, first_seq: 3 });
  });
});

describe.concurrent.each(COMPRESSED)("damage, %s", (extension) => {
  const garbage = Buffer.from("garbage ".repeat(500));

  test.each(["killed", "closed"] as const)(
    "what is no part of it goes from the end of a file that was %s",
    async (end) => {
      const { folder, path } = newPath(extension);
      writeFileSync(path, Buffer.concat([await bytesOf(extension, end), garbage]));
      await expectContinued(folder, path, 3);
    },
  );

  test("in a block that has its index line: nothing of it goes, and what follows can be read", async () => {
    const { folder, path } = newPath(extension);
    await recordFrames(path, frames(3));
    const start = statSync(path).size;
    await recordFrames(path, frames(3));
    const bytes = readFileSync(path);
    garbage.copy(bytes, start / 2, 0, 40);
    writeFileSync(path, bytes);
    expect((await goOn(path)).code).toBe(0);
    const kept = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    expect(kept.subarray(0, bytes.length).equals(bytes)).toBe(true);
    const texts = await Promise.all(readdirSync(folder).map((name) => scanned(join(folder, name))));
    const seqs = [...texts.join("").matchAll(/"seq":(\d+),"elapsed_ms"/g)].map(([, seq]) => Number(seq));
    expect(seqs.filter((seq) => seq >= 3)).toEqual(counted(seqs.filter((seq) => seq >= 3).length, 3));
    expect(Math.max(...seqs)).toBeGreaterThan(5);
  });
});

test("a plain recording keeps its whole lines, whatever stands behind them", async () => {
  const { folder, path } = newPath(".ndjson");
  writeFileSync(path, Buffer.concat([await bytesOf(".ndjson", "killed"), Buffer.from('{"schema":1,"t":"2026-')]));
  await expectContinued(folder, path, 3);
});

describe.concurrent("another codec than the name says", () => {
  test.each(
    EXTENSIONS.flatMap((name) => EXTENSIONS.filter((held) => held !== name).map((held) => [held, name] as const)),
  )("%s in a file called %s", async (held, name) => {
    const { folder, path } = newPath(name);
    writeFileSync(path, await bytesOf(held, "closed"));
    await expectSetAside(folder, path, 3);
  });
});

describe.concurrent("a recording of the Rust tool is the segment before", () => {
  const REMOTE = ["--mock", "2x1"];
  const VM = ["--source", "local", "--hostname", "vm"];
  const cases: [file: string, frames: number, options: string[]][] = [
    ["linux-no-gpu.ndjson", 4, VM],
    ["nvidia.2hosts.ndjson", 4, REMOTE],
    ["nvidia.3hosts.ndjson.gz", 8, REMOTE],
    ["nvidia.3hosts.ndjson.zst", 8, REMOTE],
    ["cut-off.ndjson.gz", 6, REMOTE],
    ["cut-off.ndjson.zst", 5, REMOTE],
    ["killed.ndjson", 8, REMOTE],
    ["zstd-in-disguise.ndjson", 3, REMOTE],
  ];
  test.each(cases)("%s with %d frames", async (file, count, options) => {
    const { folder, path } = newPath(EXTENSIONS.findLast((extension) => file.endsWith(extension)) ?? "");
    copyFileSync(join(RUST, file), path);
    await expectSetAside(folder, path, count, options);
  });

  test("with its own segments: all of their frames count", async () => {
    const { folder } = newPath("");
    const names = ["rot.0001.ndjson.zst", "rot.0002.ndjson.zst", "rot.ndjson.zst"];
    for (const name of names) copyFileSync(join(RUST, "rotated", name), join(folder, name));
    const path = join(folder, "rot.ndjson.zst");
    expect((await record("-o", path, "--duration", "0.2s", ...SMALL, ...REMOTE).ended).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([...names.slice(0, 2), "rot.0003.ndjson.zst", "rot.ndjson.zst"]);
    expect((await readLines(path))[0]).toMatchObject({ segment: 4, first_seq: 8 });
  });
});

describe.concurrent("is left as it is, with status 2:", () => {
  const cases: [what: string, file: () => Promise<Buffer>, options: string[], words: string][] = [
    [
      "a recording of another host",
      () => bytesOf(".ndjson.zst", "closed"),
      ["--hostname", "other"],
      "PATH: is a recording of mock-0001, this is other; give another path",
    ],
    [
      "one of several hosts",
      () => bytesOf(".ndjson.zst", "closed"),
      ["--mock", "2x1"],
      "PATH: is a local recording, this one would be remote; give another path",
    ],
    [
      "the Rust tool's of another host",
      async () => readFileSync(join(RUST, "nvidia.3hosts.ndjson.zst")),
      [],
      "PATH: is a recording of localhost:23001, this is mock-0001; give another path",
    ],
    [
      "another schema",
      async () => readFileSync(join(RUST, "schema-2.ndjson")),
      [],
      "replay: unsupported schema version 2, this all-smi supports schema 1",
    ],
  ];
  test.each(cases)("%s", async (_, file, options, words) => {
    const { folder, path } = newPath(".ndjson.zst");
    writeFileSync(path, await file());
    const before = { bytes: readFileSync(path), mtimeMs: statSync(path).mtimeMs };
    const { code, err } = await record("-o", path, ...SMALL, ...options).ended;
    expect([code, err]).toEqual([
      2,
      words.startsWith("PATH") ? `all-smi: ${words.replace("PATH", path)}\n` : `${words}\n`,
    ]);
    expect(readFileSync(path).equals(before.bytes)).toBe(true);
    expect(statSync(path).mtimeMs).toBe(before.mtimeMs);
    expect(readdirSync(folder)).toEqual(["t.ndjson.zst"]);
  });
});
