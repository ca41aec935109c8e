import { afterAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zlib from "node:zlib";
import fc from "fast-check";
import { type Codec, codecOf, codecs } from "./codec.ts";

const { concat } = Buffer;
const MAX_TEXT_BYTES = 64 << 20;
const folder = mkdtempSync(join(tmpdir(), "all-smi-codec-"));
afterAll(() => rmSync(folder, { recursive: true }));

const all = [codecs.zstd, codecs.gzip, codecs.none].map((codec) => [codec.name, codec] as const);
const compressed = all.filter(([name]) => name !== "none");

/** What a strict decoder makes of a whole file; throws where anything is wrong with it. */
function strict(codec: Codec, bytes: Buffer): string {
  if (codec.name === "gzip") return zlib.gunzipSync(bytes).toString();
  return codec.name === "zstd" ? zlib.zstdDecompressSync(bytes).toString() : bytes.toString();
}

const PROGRAMS = { zstd: "zstd", gzip: "gzip", none: "cat" } as const;
for (const program of ["zstd", "gzip"]) {
  if (Bun.which(program) === null) console.warn(`${program} is not installed: node:zlib alone judges`);
}

/** What the program prints that people have; it fails on anything that is wrong. */
function printed(codec: Codec, bytes: Uint8Array): { text: string; complaint: string } {
  const program = PROGRAMS[codec.name];
  if (Bun.which(program) === null) return { text: strict(codec, Buffer.from(bytes)), complaint: "" };
  const path = join(folder, `unit${codec.extension}`);
  writeFileSync(path, bytes);
  const { stdout, stderr, exitCode } = Bun.spawnSync(program === "cat" ? [program, path] : [program, "-dc", path]);
  return { text: stdout.toString(), complaint: exitCode === 0 ? "" : stderr.toString() };
}

interface Written {
  readonly texts: readonly string[];
  /** The bytes that each flush gave, then those that end the unit. */
  readonly parts: readonly Buffer[];
}

/** A unit, flushed after every text. */
async function write(codec: Codec, texts: readonly string[]): Promise<Written> {
  const encoder = codec.encoder();
  const parts: Buffer[] = [];
  for (const text of texts) parts.push(Buffer.from(await encoder.flush(Buffer.from(text))));
  parts.push(Buffer.from(await encoder.end()));
  encoder.close();
  return { texts, parts };
}

const textOf = (decoded: { text: Uint8Array }): string => Buffer.from(decoded.text).toString();

/** A line of that many bytes; `plain` ones compress well, the others not at all. */
function line(length: number, isPlain: boolean): string {
  if (isPlain) return `${'{"utilization":97.5,"name":"NVIDIA H100"},'.repeat(length / 42 + 1).slice(0, length)}\n`;
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(65_536, Math.ceil((length * 3) / 4))));
  return `${Buffer.from(bytes).toString("base64").repeat(10).slice(0, length)}\n`;
}

const shortLine = fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.boolean());
const lines = fc
  .array(shortLine, { minLength: 1, maxLength: 8 })
  .map((list) => list.map(([length, isPlain]) => line(length, isPlain)));
/** 128 KiB is what a zstd block holds, 800 KB the line of a hundred nodes. */
const LONG = [131_071, 131_072, 131_073, 262_144, 300_001, 800_000];

describe.each(all)("%s", (_, codec) => {
  test("whatever the lines, a unit decodes to them, and says how long it is", async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.uint8Array({ maxLength: 20 }), async (texts, following) => {
        const { parts } = await write(codec, texts);
        const unit = concat(parts);
        expect(strict(codec, unit)).toBe(texts.join(""));
        const next = codec.name === "none" ? [] : [following];
        const decoded = codec.decodeUnit(concat([unit, ...next]), MAX_TEXT_BYTES);
        expect([textOf(decoded), decoded.length, decoded.damage]).toEqual([texts.join(""), unit.length, null]);
      }),
      { numRuns: 60 },
    );
  });

  test("every flush can be decoded up to its last byte, and closed there", async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const { parts } = await write(codec, texts);
        for (let n = 1; n < parts.length; n++) {
          const bytes = concat(parts.slice(0, n));
          const flushed = texts.slice(0, n).join("");
          const decoded = codec.decodeUnit(bytes, MAX_TEXT_BYTES);
          expect([textOf(decoded), decoded.damage]).toEqual([flushed, null]);
          const closed = codec.closeUnit(bytes);
          if (closed === null) throw new Error("not closed");
          expect(textOf(closed)).toBe(flushed);
          expect(strict(codec, concat([bytes.subarray(0, closed.keepBytes), closed.closing]))).toBe(flushed);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("lines of many blocks, and what the programs of the system say to them", async () => {
    const texts = LONG.flatMap((length) => [line(length, true), line(length, false), line(20, true)]);
    const { parts } = await write(codec, texts);
    expect(printed(codec, concat(parts))).toEqual({ text: texts.join(""), complaint: "" });
    for (const n of [1, 2, 5, 17, 18]) {
      const bytes = concat(parts.slice(0, n));
      const flushed = texts.slice(0, n).join("");
      expect(printed(codec, bytes).text === flushed).toBe(true);
      const closed = codec.closeUnit(bytes);
      const whole = concat([bytes.subarray(0, closed?.keepBytes), closed?.closing ?? Buffer.alloc(0)]);
      const { text, complaint } = printed(codec, whole);
      expect([text === flushed, complaint, closed?.keepBytes]).toEqual([true, "", bytes.length]);
    }
  });

  test("cut off at any byte, all that was flushed is kept, and what is closed is sound", async () => {
    const { texts, parts } = await write(
      codec,
      ["", ..."abc"].map((end, n) => `${line(40 * n, n % 2 === 0)}${end}\n`),
    );
    const unit = concat(parts);
    const ends = parts.map((__, n) => concat(parts.slice(0, n + 1)).length);
    for (let length = 0; length <= unit.length; length++) {
      const bytes = unit.subarray(0, length);
      const flushed = texts.slice(0, ends.findLastIndex((end) => end <= length) + 1).join("");
      const closed = codec.closeUnit(bytes);
      expect([length, (closed === null ? "" : textOf(closed)).startsWith(flushed)]).toEqual([length, true]);
      const decoded = codec.decodeUnit(bytes, MAX_TEXT_BYTES);
      expect([length, textOf(decoded).startsWith(flushed), decoded.damage]).toEqual([length, true, null]);
      if (closed === null) continue;
      expect(closed.keepBytes).toBeLessThanOrEqual(length);
      const whole = concat([bytes.subarray(0, closed.keepBytes), closed.closing]);
      expect([length, strict(codec, whole)]).toEqual([length, textOf(closed)]);
      expect(textOf(closed).endsWith("\n")).toBe(true);
    }
  });

  test("one encoder makes unit after unit, each on its own", async () => {
    const encoder = codec.encoder();
    const units: Buffer[] = [];
    for (let n = 0; n < 20; n++) {
      const parts = [await encoder.flush(Buffer.from(`first of ${n}\n`)), await encoder.flush(Buffer.from("second\n"))];
      units.push(concat([...parts, await encoder.end()]));
    }
    encoder.close();
    for (const [n, unit] of units.entries()) expect(strict(codec, unit)).toBe(`first of ${n}\nsecond\n`);
    const { text, complaint } = printed(codec, concat(units));
    expect([text.split("\n").length, complaint]).toEqual([41, ""]);
  });

  test("units begin as a file of this codec does", async () => {
    const { parts } = await write(codec, ["text\n"]);
    const unit = concat(parts);
    expect(unit.subarray(0, codec.start.length).equals(Buffer.from(codec.start))).toBe(true);
    expect(codecOf(unit)).toBe(codec);
    expect(codecOf(Buffer.from(codec.encodeUnit(Buffer.from("text\n"))))).toBe(codec);
  });

  test("an index line is a small unit of its own", () => {
    const text = '{"schema":1,"index":true}\n'.repeat(9);
    const unit = Buffer.from(codec.encodeUnit(Buffer.from(text)));
    expect([strict(codec, unit), printed(codec, unit).complaint]).toEqual([text, ""]);
  });

  test("rubbish and nothing are never closed, and never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (rest, hasMagic) => {
        const bytes = hasMagic ? concat([codec.start, rest]) : concat([rest]);
        const { length } = codec.decodeUnit(bytes, MAX_TEXT_BYTES);
        expect(length ?? 0).toBeLessThanOrEqual(bytes.length);
        const closed = codec.closeUnit(bytes);
        if (closed === null) return;
        expect(strict(codec, concat([bytes.subarray(0, closed.keepBytes), closed.closing]))).toBe(textOf(closed));
      }),
      { numRuns: 300 },
    );
    expect(codec.closeUnit(Buffer.alloc(0))).toBeNull();
  });
});

describe.each(compressed)("%s, damaged", (_, codec) => {
  test("a byte that is another is damage, or changes nothing", async () => {
    const texts = [line(300, true), line(200, false), line(100, true)];
    const unit = concat((await write(codec, texts)).parts);
    const undecided: number[] = [];
    for (let at = 0; at < unit.length; at++) {
      const bytes = Buffer.from(unit);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      const { text, length, damage } = codec.decodeUnit(bytes, MAX_TEXT_BYTES);
      if (length !== null && damage === null && Buffer.from(text).toString() !== texts.join("")) undecided.push(at);
    }
    expect(undecided).toEqual([]);
  });

  test("a bomb is not held: beyond the limit there is no text", () => {
    const bomb =
      codec.name === "zstd" ? zlib.zstdCompressSync(Buffer.alloc(200 << 20)) : zlib.gzipSync(Buffer.alloc(70 << 20));
    const { text, length, damage } = codec.decodeUnit(bomb, 1 << 20);
    expect([text.length, length, typeof damage]).toEqual([0, null, "string"]);
  });
});

test("a file is known by its first bytes", () => {
  expect(codecOf(Buffer.alloc(0)).name).toBe("none");
  expect(codecOf(Buffer.from('{"schema":1}')).name).toBe("none");
  expect(codecOf(Buffer.from([0x1f, 0x8b])).name).toBe("none");
  expect(codecOf(Buffer.from([0x1f, 0x8b, 8, 0])).name).toBe("gzip");
  expect(codecOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])).name).toBe("zstd");
  expect(codecOf(Buffer.from([0x5c, 0x2a, 0x4d, 0x18])).name).toBe("zstd");
});

test("zstd finds the line before in a unit of long lines; short lines and long ones take turns, unit by unit", async () => {
  const long = `${randomBytes(2_400_000).toString("base64")}\n`;
  const encoder = codecs.zstd.encoder();
  const units: Buffer[] = [];
  for (const text of ["short\n", long, "short again\n", long]) {
    const first = await encoder.flush(Buffer.from(text));
    const second = await encoder.flush(Buffer.from(text));
    expect(second.length).toBeLessThan(Math.max(64, first.length / 20));
    units.push(concat([first, second, await encoder.end()]));
  }
  encoder.close();
  expect(strict(codecs.zstd, concat(units))).toBe(
    `short\nshort\n${long}${long}short again\nshort again\n${long}${long}`,
  );
  expect(printed(codecs.zstd, concat(units)).complaint).toBe("");
});
