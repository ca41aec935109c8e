import { expect, test } from "bun:test";
import { eventAt } from "../../../test/event_frames.ts";
import { drawn, inputOf, mockFrames } from "../../../test/screen.ts";
import { toText } from "../../view/ansi.ts";

const frames = mockFrames({ hosts: 2, gpus: 1, frames: 300, interval_ms: 1000 });
const lost = {
  kind: "host_lost",
  severity: "critical",
  host: "mock-0002:9090",
  text: "does not answer: refused",
} as const;
const EVENTS = [
  eventAt(20, { ...lost, state: "begin" }),
  eventAt(30, { kind: "throttle", host: "mock-0001:9090", device: "GPU 0", state: "begin", text: "hot" }),
  eventAt(40, { kind: "throttle", host: "mock-0001:9090", device: "GPU 0", state: "end", text: "hot" }),
  eventAt(84, { ...lost, state: "end" }),
];

/** The lines below the rule, at that second. */
function listAt(second: number): string[] {
  const input = inputOf(frames, second);
  const { cells } = drawn({ ...input, timeline: { ...input.timeline, events: EVENTS } }, 80, 24);
  const lines = toText(cells).split("\n");
  const first = lines.findIndex((line) => line.endsWith(" events ─")) + 1;
  return lines.slice(first).filter((line) => /^ \d\d:\d\d:\d\d {2}[·▲X✓] /.test(line));
}

test("what is on, then what is over and for how long, and who is back", () => {
  expect(listAt(83)).toEqual([
    " 12:00:30  ▲  mock-0001 GPU 0   hot  for a moment",
    " 12:00:20  X  mock-0002         does not answer: refused",
  ]);
  expect(listAt(84)).toEqual([
    " 12:01:24  ✓  mock-0002         is back after 01:04",
    " 12:00:30  ▲  mock-0001 GPU 0   hot  for a moment",
    " 12:00:20  X  mock-0002         does not answer: refused  for 01:04",
  ]);
});
