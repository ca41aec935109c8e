import { expect, test } from "bun:test";
import { CHOICES, drawn, inputOf, LIVE, mockFrames } from "../../test/screen.ts";
import type { Frame } from "../frame/frame.ts";
import { toText } from "./ansi.ts";
import { hostsOf } from "./hosts.ts";
import { shortNames, shownHosts } from "./overview.ts";

test("names without what all of them share", () => {
  expect(shortNames(["node-0001.cluster.local", "node-0002.cluster.local"])).toEqual(["0001", "0002"]);
  expect(shortNames(["gpu01", "gpu02", "gpu13"])).toEqual(["01", "02", "13"]);
  expect(shortNames(["alpha", "alpine"])).toEqual(["alpha", "alpine"]);
  expect(shortNames(["a-1", "a-1"])).toEqual(["1", "1"]);
  expect(shortNames(["dgx-01"])).toEqual(["dgx-01"]);
});

const [healthy] = mockFrames({ hosts: 4, gpus: 1, frames: 1, interval_ms: 3000 });
if (healthy === undefined) throw new Error("no frame");

/** The second host does not answer, the GPU of the third is lost, the fourth works hardest. */
const frame: Frame = {
  ...healthy,
  scrapes: (healthy.scrapes ?? []).map((scrape, i) =>
    i === 1 ? { ...scrape, up: false, error: "timed out" } : scrape,
  ),
  gpus: (healthy.gpus ?? [])
    .filter(({ hostname }) => hostname !== "mock-0002")
    .map((gpu, i) => ({
      ...gpu,
      health: null,
      utilization: [10, null, 99][i] ?? null,
      ...(i === 1 ? { lost: { since: "2026-04-18T12:00:00.000Z", reason: "fell off the bus" } } : {}),
    })),
};

const order = (hostOrder: (typeof CHOICES)["hostOrder"], filter = "") =>
  shownHosts(hostsOf(frame), { ...CHOICES, hostOrder, filter }).map(({ host }) => host.name.slice(-1));

test("hosts in each order, and filtered", () => {
  expect(order("default")).toEqual(["2", "3", "1", "4"]);
  expect(order("given")).toEqual(["1", "2", "3", "4"]);
  expect(order("trouble")).toEqual(["2", "3", "1", "4"]);
  expect(order("utilization")).toEqual(["4", "1", "2", "3"]);
  expect(order("given", "timed out")).toEqual(["2"]);
  expect(order("given", "H100")).toEqual(["1", "3", "4"]);
});

test("a hundred hosts of eight GPUs all show on 160x50, and even on 80x24", () => {
  const input = inputOf(mockFrames({ hosts: 100, gpus: 8, frames: 1, interval_ms: 3000 }), 0);
  const live = { ...input, status: LIVE };
  for (const [width, height] of [
    [160, 50],
    [80, 24],
  ] as const) {
    const { hits } = drawn(live, width, height);
    expect(new Set(hits.hosts.map(({ host }) => host)).size).toBe(100);
  }
});

test("where not all hosts have room, it says which are shown", () => {
  const frames = mockFrames({ hosts: 400, gpus: 8, frames: 1, interval_ms: 3000 });
  for (const scroll of [0, 30, 1000]) {
    const { cells, hits } = drawn(inputOf(frames, 0, { choices: { ...CHOICES, scroll } }), 80, 24);
    const [, first, last] = /(\d+)–(\d+) of 400 shown/.exec(toText(cells)) ?? [];
    const numbers = hits.hosts.map(({ host }) => Number(/\d+/.exec(host)?.[0]));
    expect([Number(first), Number(last)]).toEqual([Math.min(...numbers), Math.max(...numbers)]);
    expect(hits.hosts.length).toBeLessThan(400);
  }
});

const SIZES = [
  [60, 24],
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

/** A host for each of these counts of GPUs; the last GPU of each is lost. */
function hostsOfGpus(counts: readonly number[]): Frame {
  const [first] = mockFrames({ hosts: counts.length, gpus: Math.max(...counts), frames: 1, interval_ms: 3000 });
  if (first === undefined) throw new Error("no frame");
  const ids = hostsOf(first).map(({ host_id }) => host_id);
  const lost = { since: "2026-04-18T12:00:00.000Z", reason: "fell off the bus" };
  const gpus = (first.gpus ?? []).flatMap((gpu) => {
    const behind = (counts[ids.indexOf(gpu.host_id)] ?? 0) - (gpu.index ?? 0);
    return behind <= 0 ? [] : [behind === 1 ? { ...gpu, lost } : gpu];
  });
  return { ...first, gpus };
}

test.each(SIZES)(
  "hosts with hundreds of GPUs leave room for what they do and how hot they are at %dx%d",
  (width, height) => {
    const lines = toText(drawn(inputOf([hostsOfGpus([8, 64, 256])], 0), width, height).cells).split("\n");
    expect(lines.find((line) => line.startsWith(" host"))).toMatch(/GPUs .*util .*mem .*°C/);
    const rows = lines.filter((line) => /^ mock-000\d .*%/.test(line));
    expect(rows.map((row) => /\S+ +(\d+× )?[▁-█]+x +\d+% .* +\d+% +\d+ /.exec(row)?.[1])).toEqual([
      undefined,
      width < 200 ? "64× " : undefined,
      "256× ",
    ]);
  },
);

test.each(SIZES)("hosts with few GPUs have room for the title at %dx%d", (width, height) => {
  for (const counts of [
    [1, 1],
    [2, 3],
    [3, 1],
  ]) {
    const text = toText(drawn(inputOf([hostsOfGpus(counts)], 0), width, height).cells);
    expect(text).toMatch(/^ host +GPUs +util/m);
  }
});

test("an arrow between pages of tabs leads to the next page", () => {
  const frames = mockFrames({ hosts: 30, gpus: 1, frames: 1, interval_ms: 3000 });
  const opened: (string | null)[] = [];
  let host: string | null = null;
  for (let page = 0; page < 10; page++) {
    const { hits } = drawn(inputOf(frames, 0, { choices: { ...CHOICES, host } }), 80, 24);
    const next = hits.tabs.find(({ x, width }) => width === 1 && x > 40);
    if (next === undefined) break;
    host = next.host;
    opened.push(host);
  }
  expect(opened.length).toBeGreaterThan(2);
  expect(new Set(opened).size).toBe(opened.length);
});
