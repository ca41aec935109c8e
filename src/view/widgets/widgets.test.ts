import { expect, test } from "bun:test";
import fc from "fast-check";
import { CHOICES, drawn, inputOf, mockFrames, REPLAY } from "../../../test/screen.ts";
import { toText } from "../ansi.ts";
import { Cells, PLAIN } from "../cells.ts";
import { columnOf, placeAt } from "../hits.ts";
import { makeTheme } from "../theme.ts";
import { drawBar } from "./bar.ts";
import { drawGraph, heightsOf } from "./graph.ts";
import { drawSparkline } from "./sparkline.ts";
import { type Column, fitColumns } from "./table.ts";

const theme = makeTheme("none", "dark");

function row(width: number, draw: (cells: Cells) => void, height = 1): string {
  const cells = new Cells(width, height);
  draw(cells);
  return toText(cells).slice(0, -1);
}

test("bars are exact to an eighth", () => {
  const bar = (share: number | null) => row(4, (cells) => drawBar(cells, 0, 0, 4, share, () => PLAIN, theme));
  expect([0, 0.001, 0.25, 0.5 + 3 / 32, 1, 7].map(bar)).toEqual(["····", "▏···", "█···", "██▍·", "████", "████"]);
  expect(bar(null)).toBe("");
});

test("sparklines end with the latest, and leave out what is not known", () => {
  const values = new Float32Array([9, 0, 50, Number.NaN, 100]);
  expect(row(4, (cells) => drawSparkline(cells, 0, 0, 4, values, 100, () => PLAIN))).toBe("▁▄ █");
  expect(row(7, (cells) => drawSparkline(cells, 0, 0, 7, values, 100, () => PLAIN))).toBe("  ▁▁▄ █");
});

test("graphs show two values a cell, from the bottom up", () => {
  const values = new Float32Array([0, 25, 50, 100, Number.NaN, 75]);
  const graph = (height: number) =>
    row(
      3,
      (cells) => drawGraph(cells, { x: 0, y: 0, width: 3, height }, heightsOf(values, 0, 100), () => PLAIN),
      height,
    );
  expect(graph(1)).toBe("⣀⣼⢰");
  expect(graph(2)).toBe(" ⢸⢠\n⣠⣿⢸");
});

const columns: Column[] = [
  { priority: 0, minimum: 2 },
  { priority: 3, minimum: 5, weight: 1, maximum: 9 },
  { priority: 1, minimum: 4, weight: 2 },
  { priority: 2, minimum: 3, gap: 1 },
  { priority: 4, minimum: 3, from: 40 },
];

test("columns never overlap, never leave the table, and never go when it grows", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 120 }), (width) => {
      const placed = fitColumns(columns, 3, width);
      let end = 3;
      for (const { x, width: columnWidth } of placed) {
        expect(x).toBeGreaterThanOrEqual(end);
        end = x + columnWidth;
      }
      expect(end).toBeLessThanOrEqual(3 + width);
      const wider = fitColumns(columns, 3, width + 1).map(({ column }) => column);
      for (const { column } of placed) expect(wider).toContain(column);
    }),
  );
});

test("a column of the scrubber and its place are the same there and back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.integer({ min: 1, max: 1e9 }), (width, from, span) => {
      const range = { first_place_ms: from, last_place_ms: from + span };
      const region = { x: 5, y: 0, width, height: 1 };
      for (const column of [0, 1, width - 1]) {
        expect(columnOf(placeAt(region, 5 + column, range), width, range)).toBe(column);
      }
      expect(placeAt(region, -100, range)).toBe(from);
      expect(placeAt(region, 1000, range)).toBe(from + span);
    }),
  );
});

test("the scrubber shows gaps, events and where one is", () => {
  const frames = mockFrames({ hosts: 1, gpus: 2, frames: 41, interval_ms: 1000 });
  const input = inputOf(frames, 20, { status: REPLAY, choices: CHOICES });
  const known = { lowest: 0, mean: 50, highest: 100 };
  const event = { kind: "xid", state: "once", seq: 0, t_ms: 0, host: "", device: null, text: "" } as const;
  const timeline = {
    ...input.timeline,
    envelope: (count: number) => Array.from({ length: count }, (_, i) => (i < count / 4 ? null : known)),
    events: [
      { ...event, severity: "warning" as const, elapsed_ms: 30_000 },
      { ...event, severity: "critical" as const, elapsed_ms: 40_000 },
      { ...event, severity: "critical" as const, state: "end" as const, elapsed_ms: 35_000 },
    ],
  };
  const { cells, hits } = drawn({ ...input, timeline }, 60, 15);
  const [curve, line] = toText(cells).split("\n").slice(12, 14);
  expect(line).toBe(" 12:00:00 ╌╌╌╌╌╌╌╌╌╌──────────┃────────▲─────────X 12:00:40");
  expect(curve).toBe(`${" ".repeat(20)}${"⣇".repeat(30)}`);
  expect(hits.scrubber).toEqual({ x: 10, y: 12, width: 40, height: 2 });
});
