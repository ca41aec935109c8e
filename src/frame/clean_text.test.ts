import { expect, test } from "bun:test";
import fc from "fast-check";
import { cleanJson, cleanText, cutBytes, isCleanText, MAX_TEXT_BYTES, mayBeCut, mayHoldUnclean } from "./clean_text.ts";

/** Every kind of what must not get through, by name. */
const UNCLEAN: Readonly<Record<string, string>> = {
  NUL: "\0",
  ESC: "\x1b",
  "a newline": "\n",
  "a tab": "\t",
  DEL: "\x7f",
  CSI: "\x9b",
  NEL: "\x85",
  "a soft hyphen": "\xad",
  "the Arabic letter mark": "\u061c",
  "the Mongolian vowel separator": "\u180e",
  "a zero-width space": "\u200b",
  "the left-to-right mark": "\u200e",
  "the right-to-left mark": "\u200f",
  "a line separator": "\u2028",
  "a paragraph separator": "\u2029",
  "a bidi embedding": "\u202a",
  "a bidi override": "\u202e",
  "a word joiner": "\u2060",
  "a bidi isolate": "\u2066",
  "the end of an isolate": "\u2069",
  "a byte order mark": "\ufeff",
  "an annotation": "\ufff9",
  "a tag character": "\u{e0041}",
};

test.each(Object.entries(UNCLEAN))("%s becomes a space, and is seen in a line of JSON", (_, character) => {
  const text = `a${character}b`;
  expect(isCleanText(text)).toBe(false);
  expect(cleanText(text)).toBe("a b");
  expect(mayHoldUnclean(JSON.stringify({ text }))).toBe(true);
  // As other writers may write it: without an escape wherever that can be, or with one everywhere.
  const escaped = Array.from({ length: character.length }, (_, n) =>
    character.charCodeAt(n).toString(16).padStart(4, "0"),
  );
  expect(mayHoldUnclean(`{"text":"a${escaped.map((hex) => `\\u${hex}`).join("")}b"}`)).toBe(true);
});

test("letters of any script, accents, emoji and their joiners stay", () => {
  for (const text of [
    "",
    "plain",
    "é ß 日本語 العربية",
    "e\u0301",
    "👩\u200d💻",
    "می\u200cخواهم",
    "❤\ufe0f",
    "a\xa0b",
  ]) {
    expect(isCleanText(text)).toBe(true);
    expect(cleanText(text)).toBe(text);
    expect(mayHoldUnclean(JSON.stringify(text))).toBe(false);
  }
});

test("half a surrogate becomes the replacement character", () => {
  expect(cleanText("a\ud800b\udc00")).toBe("a\ufffdb\ufffd");
  expect(mayHoldUnclean('{"a":"\ud800"}')).toBe(true);
  expect(mayHoldUnclean('{"a":"\\ud800"}')).toBe(true);
});

test("a text is cut first, however long it is, and cut inside of no character", () => {
  for (const unit of ["x", "é", "€", "😀", "\x1b", "\ud800", "a😀"]) {
    const text = cleanText(unit.repeat(1_000_000));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_TEXT_BYTES);
    expect(text.isWellFormed()).toBe(true);
    expect(mayBeCut(text)).toBe(true);
    expect(Buffer.byteLength(cleanText(unit.repeat(100), 10))).toBeLessThanOrEqual(10);
  }
  expect(mayBeCut("x".repeat(MAX_TEXT_BYTES - 4))).toBe(false);
});

test("any text becomes clean, and what is clean stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...Object.values(UNCLEAN), ""), (text, character) => {
      const cleaned = cleanText(text + character + text);
      expect(isCleanText(cleaned)).toBe(true);
      expect(cleanText(cleaned)).toBe(cleaned);
    }),
  );
});

test("cutBytes keeps the longest beginning that fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, limit) => {
      const whole = text.toWellFormed();
      const cut = cutBytes(whole, limit);
      expect(whole.startsWith(cut)).toBe(true);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
      const next = String.fromCodePoint(whole.codePointAt(cut.length) ?? 0);
      if (cut !== whole) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(limit);
    }),
  );
});

test("texts and keys are cleaned wherever they stand in parsed JSON", () => {
  const value = JSON.parse('{"a\\u001bb":["\\u202ec",{"d":"\\u009b"}],"e":"f","n":1,"x":null,"t":true}');
  cleanJson(value);
  expect(value).toEqual({ "a b": [" c", { d: " " }], e: "f", n: 1, x: null, t: true });
});

test("a key that becomes another one takes nothing away from it", () => {
  const value = JSON.parse('{"a b":1,"a\\u001bb":2}');
  cleanJson(value);
  expect(value).toEqual({ "a b": 1 });
});

test("as many lists within lists as a line may have are no trouble", () => {
  let deep: unknown = "\x1b";
  for (let n = 0; n < 300_000; n++) deep = [deep];
  cleanJson(deep);
  while (Array.isArray(deep)) deep = deep[0];
  expect(deep).toBe(" ");
});
