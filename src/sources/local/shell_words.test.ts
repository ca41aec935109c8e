import { expect, test } from "bun:test";
import fc from "fast-check";
import { shellWords } from "./shell_words.ts";

test.each([
  ["a b\tc\n", ["a", "b", "c", ""]],
  [`a "b c" 'd "e' f"g h"i`, ["a", "b c", 'd "e', "fg hi"]],
  [String.raw`a\ b "c\"d" 'e\' f`, ["a b", 'c"d', "e\\", "f"]],
  [`a "b c`, ["a", "b c"]],
  ["", []],
])("%j", (text, words) => {
  expect(shellWords(text).map((word) => word.text)).toEqual(words);
});

test("gaps and raw words give the text again", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab \t\n\"'\\=") });
  fc.assert(
    fc.property(text, (whole) => {
      expect(
        shellWords(whole)
          .map(({ gap, raw }) => gap + raw)
          .join(""),
      ).toBe(whole);
    }),
  );
});
