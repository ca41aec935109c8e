import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { nvidiaFrame } from "../../test/frames.ts";
import { Detector } from "../events/detector.ts";
import { frameLine } from "../frame/encode.ts";
import { AppendFile } from "./append_file.ts";
import { FileBytes } from "./bytes.ts";
import { readChain } from "./chain.ts";
import { codecOf, codecs } from "./codec.ts";
import { scanLines } from "./scan.ts";
import { SegmentWriter } from "./segment_writer.ts";

/** The reading half is a library for Node from 22.15 on, too: it finds there what it finds here. */

const folder = mkdtempSync(join(tmpdir(), "all-smi-node-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first Node that is new enough: of the path, or of what npm has at hand without asking anybody. */
function findNode(): string | null {
  const fromNpm = () => {
    const npx = ["npx", "--offline", "--yes", "node@24", "-p", "process.execPath"];
    return Bun.which("npx") === null
      ? ""
      : Bun.spawnSync(npx, { cwd: folder, stderr: "ignore" }).stdout.toString().trim();
  };
  for (const candidate of [() => Bun.which("node") ?? "", fromNpm]) {
    const node = candidate();
    if (node === "") continue;
    const version = Bun.spawnSync([node, "--version"]).stdout.toString().trim();
    if (Bun.semver.satisfies(version, ">=22.15.0")) return node;
  }
  return null;
}

const node = findNode();
if (node === null) console.warn("no Node from 22.15 on is here: the reading half is not tried under it");

const here = (name: string): string => JSON.stringify(resolve(import.meta.dir, name));

/** Prints the lines of each file with how many bytes of them are skipped, and its chain. */
const script = `
import { FileBytes } from ${here("bytes.ts")};
import { readChain } from ${here("chain.ts")};
import { codecOf } from ${here("codec.ts")};
import { decodeLine } from ${here("../frame/decode.ts")};
import { scanLines } from ${here("scan.ts")};
for (const path of process.argv.slice(2)) {
  const file = FileBytes.open(path);
  const codec = codecOf(file.read(0, 64));
  const found = { lines: [], kinds: [], skipped: 0, entries: readChain(file, codec)?.entries ?? null };
  for await (const one of scanLines(file, codec)) {
    if ("skipped" in one) found.skipped++;
    else found.lines.push(Buffer.from(one.line).toString());
  }
  found.kinds = found.lines.map((line) => decodeLine(line).kind);
  console.log(JSON.stringify(found));
}`;

async function readHere(path: string): Promise<object> {
  const file = FileBytes.open(path);
  const codec = codecOf(file.read(0, 64));
  const found = { lines: [] as string[], skipped: 0, entries: readChain(file, codec)?.entries ?? null };
  for await (const one of scanLines(file, codec)) {
    if ("skipped" in one) found.skipped++;
    else found.lines.push(Buffer.from(one.line).toString());
  }
  file.close();
  return found;
}

/** Recordings of ours: whole, never closed, cut off in a line, with a tail of zero bytes, damaged, two in a row. */
async function makeRecordings(): Promise<string[]> {
  const paths: string[] = [];
  for (const codec of Object.values(codecs)) {
    const path = join(folder, `whole${codec.extension}`);
    const file = await AppendFile.create(path);
    const header = {
      ...{ t_ms: 0, interval_ms: 1000, hosts: ["a"], all_smi_version: "0", recording: "r", segment: 1, first_seq: 990 },
      ...{ source: "local" as const, timezone: "UTC" },
    };
    const writer = new SegmentWriter(file, codec, header, new Detector({ interval_ms: 1000 }));
    let open = Buffer.alloc(0);
    for (let seq = 990; seq < 1020; seq++) {
      const frame = { ...nvidiaFrame, seq };
      await writer.append(frame, Buffer.from(`${frameLine(frame)}\n`));
      if (seq === 1010) open = readFileSync(path);
    }
    await writer.end();
    file.close();
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged.fill(0xaa, 400, 420);
    const others = {
      open,
      cut: open.subarray(0, -100),
      zeros: Buffer.concat([open, Buffer.alloc(4096)]),
      damaged,
      twice: Buffer.concat([open, whole]),
      large: Buffer.concat([whole, Buffer.alloc(9 << 20), whole]),
    };
    paths.push(path);
    for (const [name, bytes] of Object.entries(others)) {
      paths.push(join(folder, `${name}${codec.extension}`));
      writeFileSync(paths.at(-1) ?? "", bytes);
    }
  }
  const rust = resolve(import.meta.dir, "../../test/fixtures/rust");
  const recorded = readdirSync(rust).filter((name) => /\.ndjson(\.zst|\.gz)?$/.test(name));
  return [...paths, ...recorded.map((name) => join(rust, name))];
}

test.skipIf(node === null)("under Node it reads what it reads here, of recordings in any state", async () => {
  const paths = await makeRecordings();
  const program = join(folder, "read.ts");
  writeFileSync(program, script);
  const command = [node ?? "", "--no-warnings", "--experimental-strip-types", program, ...paths];
  const { stdout, stderr, exitCode } = Bun.spawnSync(command);
  expect([stderr.toString(), exitCode]).toEqual(["", 0]);
  const found = stdout.toString().trimEnd().split("\n");
  expect(found.length).toBe(paths.length);
  for (const [n, path] of paths.entries()) {
    const { kinds, ...there } = JSON.parse(found[n] ?? "");
    expect([path, there]).toEqual([path, await readHere(path)]);
    expect([path, kinds.length > 0]).toEqual([path, true]);
  }
});
