import { expect, test } from "bun:test";
import { toAnsi, toText } from "./ansi.ts";
import { BOLD, Cells, PLAIN } from "./cells.ts";

const red = { ...PLAIN, foreground: 0xff0000 };

test("text is cut off at the edges", () => {
  const cells = new Cells(4, 2);
  expect(cells.text(2, 0, "abcd", PLAIN)).toBe(4);
  cells.text(-2, 1, "abcd", PLAIN);
  cells.text(0, 5, "no such row", PLAIN);
  expect(toText(cells)).toBe("  ab\ncd\n");
});

test("a wide character takes two cells, and none where there is only one", () => {
  const cells = new Cells(4, 1);
  cells.text(0, 0, "a日本", PLAIN);
  expect(toText(cells)).toBe("a日\n");
  expect([0, 1, 2, 3].map((index) => cells.isUnusual(index))).toEqual([false, true, false, false]);
});

test("what covers half of a wide character takes all of it away", () => {
  const left = new Cells(4, 1);
  left.text(0, 0, "日本", PLAIN);
  left.text(1, 0, "x", PLAIN);
  expect(toText(left)).toBe(" x本\n");
  const right = new Cells(4, 1);
  right.text(0, 0, "日本", PLAIN);
  right.text(2, 0, "x", PLAIN);
  expect(toText(right)).toBe("日x\n");
});

test("a character with marks is one cell", () => {
  const cells = new Cells(3, 1);
  expect(cells.text(0, 0, "q\u0323q", PLAIN)).toBe(2);
  expect(cells.character(0)).toBe("q\u0323");
  expect(cells.isUnusual(0)).toBe(true);
});

test("fields align and say where something is missing", () => {
  const cells = new Cells(12, 1);
  cells.field(0, 0, "57%", 5, PLAIN, "right");
  cells.field(6, 0, "torchrun", 5, PLAIN);
  expect(toText(cells)).toBe("  57% torc…\n");
});

test("colours as control sequences, at each depth", () => {
  const cells = new Cells(3, 1);
  cells.text(0, 0, "ab", { ...red, attributes: BOLD });
  expect(toAnsi(cells, "truecolor")).toBe("\x1b[0;1;38;2;255;0;0mab\x1b[0m\n");
  expect(toAnsi(cells, "256")).toBe("\x1b[0;1;38;5;196mab\x1b[0m\n");
  expect(toAnsi(cells, "16")).toBe("\x1b[0;1;91mab\x1b[0m\n");
  expect(toAnsi(cells, "none")).toBe("\x1b[0;1mab\x1b[0m\n");
});
