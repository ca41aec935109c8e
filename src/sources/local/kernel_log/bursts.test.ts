import { expect, test } from "bun:test";
import { Bursts, type Heard } from "./bursts.ts";

const heard = (t_ms: number, text: string, burst?: string, device = "a"): Heard => ({
  t_ms,
  device,
  finding: { kind: "aer", severity: "warning", pci: device, text, ...(burst !== undefined && { burst }) },
});
const texts = (list: readonly Heard[]): string[] => list.map(({ t_ms, finding }) => `${t_ms} ${finding.text}`);

test("what does not come in bursts is told at once, each time", () => {
  const bursts = new Bursts();
  expect(texts(bursts.join([heard(1, "x"), heard(2, "x")], 0))).toEqual(["1 x", "2 x"]);
  expect(bursts.join([], 1e6)).toEqual([]);
});

test("a burst is one event a minute, with the number since the one before", () => {
  const bursts = new Bursts();
  expect(texts(bursts.join([heard(1, "x", "b"), heard(2, "y", "b"), heard(3, "z", "b")], 0))).toEqual([
    "1 x (3 times)",
  ]);
  expect(bursts.join([heard(1000, "x", "b")], 1000)).toEqual([]);
  expect(bursts.join([heard(2000, "y", "b")], 59_999)).toEqual([]);
  expect(texts(bursts.join([], 60_000))).toEqual(["1000 x (2 times)"]);
  expect(bursts.join([], 60_001)).toEqual([]);
  expect(texts(bursts.join([heard(3000, "z", "b")], 60_002))).toEqual([]);
  expect(texts(bursts.join([], 120_000))).toEqual(["3000 z"]);
  expect(bursts.join([], 180_000)).toEqual([]);
  expect(texts(bursts.join([heard(4000, "w", "b")], 180_001))).toEqual(["4000 w"]);
});

test("bursts are of one device and one kind; what is told is in the order of its times", () => {
  const bursts = new Bursts();
  const both = [heard(5, "x", "b"), heard(3, "x", "c"), heard(4, "x", "b", "other"), heard(1, "plain")];
  expect(texts(bursts.join(both, 0))).toEqual(["1 plain", "3 x", "4 x", "5 x"]);
});
