import { expect, test } from "bun:test";
import { nearest16 } from "./ansi.ts";
import { DEFAULT_COLOUR } from "./cells.ts";
import { backgroundOf, colourDepth, makeTheme } from "./theme.ts";

test("what the terminal says it can", () => {
  expect(colourDepth({ TERM: "xterm-256color", COLORTERM: "truecolor" })).toBe("truecolor");
  expect(colourDepth({ TERM: "xterm-256color" })).toBe("256");
  expect(colourDepth({ TERM: "linux" })).toBe("16");
  expect(colourDepth({ TERM: "dumb", COLORTERM: "truecolor" })).toBe("none");
  expect(colourDepth({ TERM: "xterm-256color", NO_COLOR: "1" })).toBe("none");
  expect(colourDepth({ TERM: "xterm-256color", NO_COLOR: "" })).toBe("256");
});

test("a light background is believed when it is said", () => {
  expect(backgroundOf({ COLORFGBG: "0;15" })).toBe("light");
  expect(backgroundOf({ COLORFGBG: "15;default;0" })).toBe("dark");
  expect(backgroundOf({})).toBe("dark");
});

test("without colours there is none in any style", () => {
  const theme = makeTheme("none", "dark");
  const styles = [theme.critical, theme.dim, theme.selected, theme.replayChip, theme.load(1), theme.heat(1)];
  expect(styles.every((style) => style.foreground === DEFAULT_COLOUR && style.background === DEFAULT_COLOUR)).toBe(
    true,
  );
});

test("being busy is no trouble, being hot is", () => {
  for (const background of ["dark", "light"] as const) {
    const theme = makeTheme("16", background);
    expect([1, 9]).toContain(nearest16(theme.critical.foreground));
    expect([1, 9]).toContain(nearest16(theme.heat(1).foreground));
    expect([3, 11]).toContain(nearest16(theme.load(1).foreground));
    expect([4, 6, 12, 14]).toContain(nearest16(theme.load(0).foreground));
    expect(theme.load(1)).not.toEqual(theme.heat(1));
    expect(theme.load(0)).toEqual(theme.heat(0));
  }
});

test("no share has no style", () => {
  const theme = makeTheme("truecolor", "dark");
  for (const share of [Number.NaN, -1, 2, Number.POSITIVE_INFINITY]) {
    expect(theme.heat(share).foreground).toBeLessThan(DEFAULT_COLOUR);
  }
});
