import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import zlib from "node:zlib";
import fc from "fast-check";
import { decodeLine } from "../frame/decode.ts";
import { FileBytes } from "./bytes.ts";
import { type Codec, codecOf, codecs } from "./codec.ts";
import { scanLines } from "./scan.ts";

const { concat } = Buffer;
const folder = mkdtempSync(join(tmpdir(), "all-smi-scan-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Scanned {
  readonly lines: string[];
  readonly skipped: string[];
}

/** More than any of these files can hold: a scan that does not end is cut short, and fails. */
const TOO_MUCH = 500_000;

async function scanFile(path: string, from = 0): Promise<Scanned> {
  const file = FileBytes.open(path);
  const lines: string[] = [];
  const skipped: string[] = [];
  try {
    for await (const one of scanLines(file, codecOf(file.read(0, 64)), from)) {
      if ("line" in one) lines.push(Buffer.from(one.line).toString());
      else skipped.push(one.skipped);
      if (lines.length + skipped.length > TOO_MUCH) throw new Error("this scan does not end");
    }
  } finally {
    file.close();
  }
  return { lines, skipped };
}

async function scan(bytes: Uint8Array, from = 0): Promise<Scanned> {
  const path = join(folder, "scanned");
  writeFileSync(path, bytes);
  return await scanFile(path, from);
}

const texts = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, n) => `{"schema":1,"name":"${name}","seq":${n}}`);

/** A unit as the recorder leaves it, flushed after every line; ended, or not. */
async function unit(codec: Codec, lines: readonly string[], isEnded = true): Promise<Buffer> {
  const encoder = codec.encoder();
  const parts: Uint8Array[] = [];
  for (const line of lines) parts.push(await encoder.flush(Buffer.from(`${line}\n`)));
  if (isEnded) parts.push(await encoder.end());
  encoder.close();
  return concat(parts);
}

const all = [codecs.zstd, codecs.gzip, codecs.none].map((codec) => [codec.name, codec] as const);
const compressed = all.filter(([name]) => name !== "none");

const once = (codec: Codec, text: string | Buffer): Buffer =>
  codec.name === "zstd"
    ? zlib.zstdCompressSync(text, { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } })
    : zlib.gzipSync(text, { level: 1 });

describe.each(all)("%s", (name, codec) => {
  const [a, b] = [texts(10, "a"), texts(7, "b")];

  test("units in a row are read in their order, from any of them on", async () => {
    const first = await unit(codec, a);
    const bytes = concat([first, await unit(codec, b)]);
    expect(await scan(bytes)).toEqual({ lines: [...a, ...b], skipped: [] });
    expect(await scan(bytes, first.length)).toEqual({ lines: b, skipped: [] });
  });

  test("nothing is no lines", async () => {
    expect(await scan(Buffer.alloc(0))).toEqual({ lines: [], skipped: [] });
  });

  test("a unit that was never ended gives all that was flushed", async () => {
    const bytes = concat([await unit(codec, a), await unit(codec, b, false)]);
    expect(await scan(bytes)).toEqual({ lines: [...a, ...b], skipped: [] });
  });

  test("a line that has no end is said, and is none", async () => {
    const bytes = await unit(codec, a, false);
    const { lines, skipped } = await scan(bytes.subarray(0, name === "none" ? -5 : -9));
    expect(lines).toEqual(a.slice(0, lines.length));
    expect(lines.length).toBe(9);
    expect(skipped.length).toBeLessThanOrEqual(1);
  });

  test("empty lines, carriage returns and bad UTF-8 are left to who reads lines", async () => {
    const bytes = await unit(codec, ["", "x\r", "", "y"]);
    expect(await scan(bytes)).toEqual({ lines: ["x\r", "y"], skipped: [] });
  });

  test("any lines come back, and text at once is as good as line by line", async () => {
    const line = fc.string({ unit: "binary" }).filter((text) => !text.includes("\n") && text !== "");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 4 }), async (units) => {
        const flat = units.flat();
        const encoded = await Promise.all(units.map((lines) => unit(codec, lines)));
        const bytes = concat(encoded);
        fc.pre(bytes.length > 0 && codecOf(bytes) === codec);
        expect(await scan(bytes)).toEqual({ lines: flat, skipped: [] });
      }),
      { numRuns: 50 },
    );
  });

  test("a line of 16 MiB is read, a longer one is skipped and said, and reading goes on", async () => {
    const long = (length: number) => Buffer.alloc(length, "x");
    const text = concat([
      ...["first\n"].map(Buffer.from),
      long(16 << 20),
      Buffer.from("\nnext\n"),
      long((16 << 20) + 1),
    ]);
    const bytes = concat([text, Buffer.from("\nlast\n")]);
    const { lines, skipped } = await scan(name === "none" ? bytes : once(codec, bytes));
    expect(lines.map((line) => line.length)).toEqual([5, 16 << 20, 4, 4]);
    expect(lines.at(-1)).toBe("last");
    expect(skipped).toEqual(["a line is longer than 16777216 bytes"]);
  });

  test("units of more bytes, and of more text, than are held at once", async () => {
    const noise = Array.from({ length: 160 }, () =>
      Buffer.from(crypto.getRandomValues(new Uint8Array(49_152))).toString("base64"),
    );
    const repeated = Array.from({ length: 900 }, (_, n) => `${n} ${"text ".repeat(20_000)}`);
    for (const lines of [noise, repeated]) {
      const large = Buffer.from(`${lines.join("\n")}\n`);
      const units = [await unit(codec, a), name === "none" ? large : once(codec, large), await unit(codec, b)];
      const found = await scan(concat(units));
      expect(found.skipped).toEqual([]);
      expect(found.lines.length).toBe(lines.length + 17);
      expect(Bun.hash(found.lines.join("\n"))).toBe(Bun.hash([...a, ...lines, ...b].join("\n")));
    }
  });
});

describe.each(compressed)("%s, damaged", (_, codec) => {
  const [a, b] = [texts(40, "a"), texts(7, "b")];
  const cases: Record<string, (first: Buffer) => Buffer> = {
    "a byte is another": (first) => {
      const bytes = Buffer.from(first);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
      return bytes;
    },
    "bytes are missing": (first) =>
      concat([first.subarray(0, first.length >> 1), first.subarray((first.length >> 1) + 9)]),
    "the end is missing": (first) => first.subarray(0, -30),
    "zero bytes follow": (first) => concat([first, Buffer.alloc(5000)]),
    "rubbish follows": (first) => concat([first, Buffer.alloc(5000, "rubbish ")]),
    "more zero bytes follow than are held at once": (first) => concat([first, Buffer.alloc(9 << 20)]),
    "more rubbish follows than is held at once": (first) => concat([first, Buffer.alloc(9 << 20, "rubbish ")]),
  };

  test.each(Object.entries(cases))("%s: that is said, and reading goes on at the next unit", async (_, damaged) => {
    const bytes = concat([damaged(await unit(codec, a)), await unit(codec, b)]);
    const { lines, skipped } = await scan(bytes);
    expect(lines.slice(-b.length)).toEqual(b);
    expect(lines.slice(0, -b.length).filter((line) => !a.includes(line)).length).toBeLessThanOrEqual(1);
    expect(lines.length).toBeGreaterThanOrEqual(b.length + 15);
    expect(skipped.length).toBeGreaterThanOrEqual(1);
  });

  test("what looks like a beginning at every few bytes does not hold it up", async () => {
    const bytes = concat([await unit(codec, a), Buffer.alloc(9 << 20, Buffer.from(codec.magic))]);
    const { lines, skipped } = await scan(bytes);
    expect(lines).toEqual(a);
    expect(skipped.at(-1)).toEndWith("so much before it is damaged that reading ends here");
  });

  test("a tail of zero bytes, as a power loss leaves it, costs no line", async () => {
    const bytes = concat([await unit(codec, a, false), Buffer.alloc(8192)]);
    expect((await scan(bytes)).lines).toEqual(a);
  });

  test("any bytes between units: the scan ends, and the last unit is read", async () => {
    const last = await unit(codec, b);
    const between = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array().map((rest) => concat([codec.start, rest])),
    );
    await fc.assert(
      fc.asyncProperty(between, async (bytes) => {
        const { lines } = await scan(concat([codec.start, bytes, last]));
        expect(lines.slice(-b.length)).toEqual(b);
      }),
      { numRuns: 200 },
    );
  });
});

describe("zstd of others", () => {
  const lines = texts(5, "a");
  const frame = zlib.zstdCompressSync(`${lines.join("\n")}\n`);

  function skippable(content: Buffer): Buffer {
    const header = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    header.writeUInt32LE(content.length, 4);
    return concat([header, content]);
  }

  test.each([
    ["empty", Buffer.alloc(0)],
    ["small", Buffer.alloc(100, 1)],
    ["that looks like a frame", frame],
    ["larger than is held at once", Buffer.alloc(9 << 20, 1)],
  ])("skippable frames are skipped: %s", async (_, content) => {
    const bytes = concat([skippable(content), frame, skippable(content), frame, skippable(content)]);
    expect(await scan(bytes)).toEqual({ lines: [...lines, ...lines], skipped: [] });
  });
});

/** The most memory that a process takes to scan a file, in MB, less what it takes for an empty one. */
function memoryMB(path: string): number {
  const script = join(folder, "scan.ts");
  const from = (name: string) => JSON.stringify(resolve(import.meta.dir, name));
  writeFileSync(
    script,
    `import { readFileSync } from "node:fs";
     import { FileBytes } from ${from("bytes.ts")};
     import { codecOf } from ${from("codec.ts")};
     import { scanLines } from ${from("scan.ts")};
     const file = FileBytes.open(process.argv[2]);
     for await (const _ of scanLines(file, codecOf(file.read(0, 64))));
     console.log(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);`,
  );
  const { stdout, stderr } = Bun.spawnSync([process.execPath, script, path]);
  if (stderr.length > 0) throw new Error(stderr.toString());
  return Number(stdout.toString()) / 1024;
}

/** A zstd frame of the same byte all over, 128 KiB in every block of four bytes. */
function zstdBomb(mebibytes: number, byte: number): Buffer {
  const block = (isLast: boolean): Buffer => {
    const header = Buffer.alloc(4, byte);
    header.writeUIntLE(((128 << 10) << 3) | (1 << 1) | Number(isLast), 0, 3);
    return header;
  };
  const blocks = Array.from({ length: mebibytes * 8 }, (_, n) => block(n === mebibytes * 8 - 1));
  return concat([Buffer.from(codecs.zstd.magic), Buffer.from([0x00, 0x58]), ...blocks]);
}

describe("a small file that decodes to a large one", () => {
  const bombs: Record<string, () => Buffer> = {
    "zstd, one line": () => zstdBomb(1024, 120),
    "gzip, one line": () => once(codecs.gzip, Buffer.alloc(256 << 20, 120)),
  };

  test.each(Object.entries(bombs))("%s: no more is held than a line may be long", (_, bomb) => {
    const path = join(folder, "bomb");
    writeFileSync(path, "");
    const idle = memoryMB(path);
    writeFileSync(path, bomb());
    expect(memoryMB(path) - idle).toBeLessThan(150);
  });

  test("its one line is said to be none", async () => {
    const { lines, skipped } = await scan(concat([zstdBomb(64, 120), zlib.zstdCompressSync("\nnext\n")]));
    expect([lines, skipped]).toEqual([["next"], ["a line is longer than 16777216 bytes"]]);
  });
});

describe("recordings of the Rust tool", () => {
  const fixtures = resolve(import.meta.dir, "../../test/fixtures/rust");

  const kinds = ({ lines }: Scanned): string[] => lines.map((line) => decodeLine(line).kind);
  const framesOf = (scanned: Scanned): number => kinds(scanned).filter((kind) => kind === "frame").length;

  test.each([
    ["nvidia.3hosts.ndjson.zst", 8],
    ["nvidia.3hosts.ndjson.gz", 8],
    ["zstd-in-disguise.ndjson", 3],
    ["killed.ndjson", 8],
    ["linux-no-gpu.ndjson", 4],
    ["nvidia.2hosts.ndjson", 4],
    ["rotated/rot.0001.ndjson.zst", 3],
    ["rotated/rot.0002.ndjson.zst", 3],
    ["rotated/rot.ndjson.zst", 2],
  ])("%s: %d frames, and nothing is skipped", async (name, frames) => {
    const scanned = await scanFile(join(fixtures, name));
    expect([framesOf(scanned), scanned.skipped]).toEqual([frames, []]);
    expect(kinds(scanned)).not.toContain("bad");
  });

  test("cut off, they give at least what the programs of the system print of them", async () => {
    for (const [name, program] of [
      ["cut-off.ndjson.zst", "zstd"],
      ["cut-off.ndjson.gz", "gzip"],
    ] as const) {
      const scanned = await scanFile(join(fixtures, name));
      const whole = await scanFile(join(fixtures, name.replace("cut-off", "nvidia.3hosts")));
      expect(scanned.lines).toEqual(whole.lines.slice(0, scanned.lines.length));
      const { stdout } = Bun.spawnSync([program, "-dc", join(fixtures, name)], { stderr: "ignore" });
      expect(scanned.lines.length).toBeGreaterThanOrEqual(stdout.toString().split("\n").length - 1);
      expect(framesOf(scanned)).toBeGreaterThanOrEqual(5);
    }
  });

  test("another schema is in a line like others", async () => {
    expect(kinds(await scanFile(join(fixtures, "schema-2.ndjson")))).toEqual(["refused"]);
    expect(readFileSync(join(fixtures, "schema-2.ndjson"), "utf8")).toStartWith('{"schema":2,');
  });
});
