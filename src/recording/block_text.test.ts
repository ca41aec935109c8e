import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { blockText, freeText } from "./block_text.ts";
import { codecs } from "./codec.ts";

const all = Object.values(codecs).map((codec) => [codec.name, codec] as const);

/** Lines that do not repeat, so that a unit is about as large as its text. */
const lines = (seed: number, bytes: number): Buffer => {
  const text = Buffer.alloc(bytes);
  let state = seed + 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    text[at] = 32 + ((state >>> 12) % 94);
  }
  text[bytes - 1] = 10;
  return text;
};

const held: Buffer[] = [];
const keep = (text: Buffer | null): Buffer => {
  if (text === null) throw new Error("no text");
  held.push(text);
  return text;
};
afterEach(() => {
  for (const text of held.splice(0)) freeText(text);
});

describe.each(all)("%s", (_, codec) => {
  test("a unit's text, whatever its size, while others come and go", () => {
    const steps = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 400_000 }), frees: fc.boolean() }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(steps, (wanted) => {
        const texts: { text: Buffer; expected: Buffer }[] = [];
        wanted.forEach(({ bytes, frees }, n) => {
          const expected = lines(n, bytes);
          const text = blockText(codec, codec.encodeUnit(expected));
          if (text === null) throw new Error("no text");
          texts.push({ text, expected });
          if (frees) freeText(texts.shift()?.text ?? text);
        });
        for (const { text, expected } of texts) expect(text.equals(expected)).toBe(true);
        for (const { text } of texts) freeText(text);
      }),
      { numRuns: 30 },
    );
  });

  test("more than a unit, less than one, or a damaged one is none", () => {
    const unit = Buffer.from(codec.encodeUnit(lines(1, 300_000)));
    const damaged = Buffer.from(unit);
    damaged[unit.length >> 1] = (damaged[unit.length >> 1] ?? 0) ^ 0x55;
    const isPlain = codec.name === "none";
    expect(blockText(codec, Buffer.concat([unit, Buffer.from("x")]))).toBeNull();
    expect(blockText(codec, unit.subarray(0, -1))).toBeNull();
    // Plain text has nothing by which one could tell.
    if (!isPlain) expect(blockText(codec, damaged)).toBeNull();
    expect(keep(blockText(codec, unit)).equals(lines(1, 300_000))).toBe(true);
  });

  test("a text that is much longer than its unit", () => {
    const text = Buffer.concat([lines(1, 200_000), Buffer.alloc(40 << 20, "a\n")]);
    expect(keep(blockText(codec, codec.encodeUnit(text))).equals(text)).toBe(true);
  });
});

test("one block's memory is the next one's", () => {
  const { zstd } = codecs;
  const first = blockText(zstd, zstd.encodeUnit(lines(1, 300_000)));
  if (first === null) throw new Error("no text");
  const { buffer } = first;
  freeText(first);
  expect(keep(blockText(zstd, zstd.encodeUnit(lines(2, 299_000)))).buffer).toBe(buffer);
});
