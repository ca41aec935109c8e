import { expect, test } from "bun:test";
import { eachCluster, textWidth, truncate } from "./text.ts";

function shown(text: string): string[] {
  const clusters: string[] = [];
  eachCluster(text, (cluster, width) => {
    clusters.push(width === 2 ? `${cluster}:2` : cluster);
    return false;
  });
  return clusters;
}

test("what a terminal would act on shows as a picture of itself", () => {
  expect(shown("\x1b[2J\r\n\x7f")).toEqual(["␛", "[", "2", "J", "␍", "␊", "␡"]);
  expect(shown("\x9b\u2028")).toEqual(["\ufffd", "␤"]);
});

test("nothing turns the reading direction or hides", () => {
  expect(shown("a\u202eb\u2066\u200b\ufeff")).toEqual(["a", "\ufffd", "b", "\ufffd", "\ufffd", "\ufffd"]);
  expect(shown("\ud800x\u{e0041}")).toEqual(["\ufffd", "x", "\ufffd"]);
});

test("marks stay with their character, a few of them", () => {
  expect(shown("e\u0301x")).toEqual(["é", "x"]);
  expect(shown("q\u0323\u0307z")).toEqual(["q\u0323\u0307", "z"]);
  expect(shown(`x${"\u0336".repeat(100)}y`)).toEqual([`x${"\u0336".repeat(4)}`, "y"]);
  expect(shown("\u0301")).toEqual(["\ufffd"]);
});

test("wide characters, joined emoji and flags have a width that terminals agree on", () => {
  expect(shown("日本")).toEqual(["日:2", "本:2"]);
  expect(shown("👨‍👩‍👧!")).toEqual(["👨:2", "!"]);
  expect(shown("👍🏽")).toEqual(["👍:2"]);
  expect(shown("🇰🇷")).toEqual(["K", "R"]);
});

test("width and truncation count columns", () => {
  expect(textWidth("torch 日本")).toBe(10);
  expect(truncate("torchrun", 8)).toBe("torchrun");
  expect(truncate("torchrun", 7)).toBe("torchr…");
  expect(truncate("日本語", 4)).toBe("日…");
  expect(truncate("日本語", 0)).toBe("");
  expect(truncate("x", 1)).toBe("x");
});
