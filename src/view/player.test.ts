import { expect, test } from "bun:test";
import { MemoryCursor } from "../../test/memory_cursor.ts";
import { settled, TestClock } from "../../test/view_clock.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";
import type { Scrape } from "../frame/schema.ts";
import { faster, slower } from "./pace.ts";
import { Player, type PlayerOptions } from "./player.ts";
import { Travel } from "./travel.ts";

const START_MS = Date.UTC(2026, 3, 18, 12);

const frameAt = (elapsed_ms: number, seq: number): Frame => ({
  t_ms: START_MS + elapsed_ms,
  seq,
  elapsed_ms,
  source: "local",
  hostname: "dgx-01",
  errors: [],
});

const scrapeOf = (hostname: string, n: number): Scrape => ({
  ...{ host: `10.0.0.${n + 1}:9090`, hostname, up: true, latency_ms: 1, error: null },
});

const everySecond = (count: number): number[] => Array.from({ length: count }, (_, n) => n * 1000);

function speedUp(player: Player): number {
  player.speed = faster(player.speed);
  return player.speed;
}

function slowDown(player: Player): number {
  player.speed = slower(player.speed);
  return player.speed;
}

async function play(places: readonly number[], options: Partial<PlayerOptions> = {}, at_ms = 0, scanned = 1) {
  const clock = new TestClock();
  const cursor = new MemoryCursor(places.map(frameAt));
  cursor.scanned = scanned;
  const jumps: number[] = [];
  /** When, by the clock, which place was shown. */
  const shown: [at_ms: number, place_ms: number][] = [];
  const player: Player = new Player(cursor, {
    speed: 1,
    isLoop: false,
    isPlaying: true,
    isLive: false,
    interval_ms: 1000,
    clock,
    onChange: () => {
      const place_ms = player?.shown?.place_ms;
      if (place_ms !== undefined && shown.at(-1)?.[1] !== place_ms) shown.push([clock.now(), place_ms]);
    },
    onJump: (distance_ms) => jumps.push(distance_ms),
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  const travel = new Travel(player, cursor, clock, () => {});
  travel.to(at_ms);
  await settled();
  return { clock, cursor, player, travel, shown, jumps };
}

const irregular = [0, 400, 1100, 1300, 6000, 9000];

test.each([0.25, 0.5, 1, 2, 4])("each frame shows at its time, at %px, across irregular intervals", async (speed) => {
  const { clock, shown, player } = await play(irregular, { speed, interval_ms: 5000 });
  await clock.pass(60_000);
  expect(shown).toEqual(irregular.map((place_ms) => [place_ms / speed, place_ms]));
  expect(player.state).toBe("end");
});

test("frames that come too fast are left out, and what shows is never late by more than one frame", async () => {
  const { clock, shown, player } = await play(everySecond(3600), { speed: 64 });
  await clock.pass(3599_000 / 64 + 100);
  expect(player.shown?.place_ms).toBe(3599_000);
  for (const [at_ms, place_ms] of shown.slice(0, -1)) {
    const lag_ms = at_ms * 64 - place_ms;
    expect(lag_ms).toBeGreaterThanOrEqual(-1e-6);
    expect(lag_ms).toBeLessThan(1000);
  }
  const apart = shown.slice(1).map(([at_ms], n) => at_ms - (shown[n]?.[0] ?? 0));
  expect(Math.min(...apart)).toBeGreaterThan(39);
  expect(shown.length).toBeGreaterThan(1000);
});

test("a stall is made up for at once", async () => {
  const { clock, player } = await play(everySecond(100));
  await clock.pass(2500);
  clock.stall(30_000);
  await clock.pass(0);
  expect(player.shown?.place_ms).toBe(32_000);
  await clock.pass(500);
  expect(player.shown?.place_ms).toBe(33_000);
});

test("frames with the same place: the last of them shows, and playing goes on", async () => {
  const { clock, shown, player } = await play([0, 1000, 1000, 1000, 2000]);
  await clock.pass(1000);
  expect(player.shown?.ordinal).toBe(3);
  await clock.pass(1000);
  expect(shown.at(-1)).toEqual([2000, 2000]);
  expect(player.state).toBe("end");
});

test("a gap is jumped after a second, and the time behind it is honoured", async () => {
  const { clock, shown, jumps } = await play([0, 1000, 61_000, 62_000]);
  await clock.pass(10_000);
  expect(shown).toEqual([
    [0, 0],
    [1000, 1000],
    [2000, 61_000],
    [3000, 62_000],
  ]);
  expect(jumps).toEqual([60_000]);
});

test("what is a gap depends on the speed, and on the interval", async () => {
  const places = [0, 60_000, 120_000];
  const fast = await play(places, { speed: 8 });
  await fast.clock.pass(7500);
  expect([fast.player.shown?.place_ms, fast.jumps]).toEqual([60_000, []]);

  const slow = await play(places, { speed: 0.25, interval_ms: 60_000 });
  await slow.clock.pass(239_000);
  expect(slow.player.shown?.place_ms).toBe(0);
  await slow.clock.pass(1000);
  expect([slow.player.shown?.place_ms, slow.jumps]).toEqual([60_000, []]);

  const unknown = await play(places, { interval_ms: null });
  await unknown.clock.pass(1000);
  expect([unknown.player.shown?.place_ms, unknown.jumps]).toEqual([60_000, [60_000]]);
});

test("at the end it stops, and Space begins again", async () => {
  const { clock, player } = await play(everySecond(3));
  expect(player.state).toBe("playing");
  await clock.pass(2000);
  expect(player.state).toBe("end");
  await clock.pass(60_000);
  expect([player.state, player.shown?.place_ms]).toEqual(["end", 2000]);
  player.toggle();
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 0]);
  await clock.pass(2000);
  expect([player.state, player.shown?.place_ms]).toEqual(["end", 2000]);
});

test("with loop it begins again for ever, the last frame as long as any", async () => {
  const { clock, shown, player } = await play(everySecond(3), { isLoop: true, speed: 2 });
  await clock.pass(15_000);
  expect(shown.slice(0, 7)).toEqual([
    [0, 0],
    [500, 1000],
    [1000, 2000],
    [1500, 0],
    [2000, 1000],
    [2500, 2000],
    [3000, 0],
  ]);
  expect(shown.length).toBe(31);
  expect(player.state).toBe("playing");
});

test("a loop over a single frame does not spin", async () => {
  const { clock, cursor } = await play([0], { isLoop: true });
  await clock.pass(10_000);
  expect(cursor.done.length).toBe(11);
});

test("loop can be set at the end, and taken back", async () => {
  const { clock, player } = await play(everySecond(2));
  await clock.pass(5000);
  expect(player.state).toBe("end");
  player.toggleLoop();
  expect(player.state).toBe("playing");
  await clock.pass(1000);
  expect(player.shown?.place_ms).toBe(0);
  player.toggleLoop();
  await clock.pass(5000);
  expect(player.state).toBe("end");
});

test("pause keeps the place between two frames", async () => {
  const { clock, player, shown } = await play(everySecond(4));
  await clock.pass(1600);
  player.toggle();
  expect(player.state).toBe("paused");
  await clock.pass(60_000);
  player.toggle();
  await clock.pass(400);
  expect(shown.at(-1)).toEqual([62_000, 2000]);
});

test("the ladder of speeds goes up to 8 and down to 0.25, and applies at once", async () => {
  const { clock, player, shown } = await play(everySecond(100));
  const up = [2, 4, 8, 8].map(() => speedUp(player));
  expect(up).toEqual([2, 4, 8, 8]);
  const down = [4, 2, 1, 0.5, 0.25, 0.25].map(() => slowDown(player));
  expect(down).toEqual([4, 2, 1, 0.5, 0.25, 0.25]);
  await clock.pass(2000);
  expect(player.shown?.place_ms).toBe(0);
  speedUp(player);
  speedUp(player);
  await clock.pass(500);
  expect(shown.at(-1)).toEqual([2500, 1000]);
});

test.each([
  [64, 64, 8],
  [3, 4, 2],
])("from %px it is %px and %px", (start, up, down) => {
  expect([faster(start), slower(start)]).toEqual([up, down]);
});

test("a step pauses, and as many as were asked for are done", async () => {
  const { clock, player } = await play(everySecond(10));
  await clock.pass(1500);
  for (let n = 0; n < 3; n++) player.step(1);
  player.step(-1);
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 3000]);
  player.step(-1);
  await clock.pass(10_000);
  expect(player.shown?.place_ms).toBe(2000);
  for (let n = 0; n < 5; n++) player.step(-1);
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 0]);
});

test("jumps add up, from where the playhead is and not from its frame", async () => {
  const { player, travel, clock } = await play([0, 15_000, 30_000, 45_000, 60_000], { isPlaying: false });
  travel.by(10_000);
  travel.by(10_000);
  travel.by(10_000);
  await settled();
  expect(player.shown?.place_ms).toBe(30_000);
  travel.by(10_000);
  await settled();
  expect(player.shown?.place_ms).toBe(30_000);
  travel.by(10_000);
  await settled();
  expect(player.shown?.place_ms).toBe(45_000);
  travel.by(-10_000);
  await settled();
  expect(player.shown?.place_ms).toBe(30_000);
  await clock.pass(60_000);
  expect(player.shown?.place_ms).toBe(30_000);
});

test("beyond the ends is the nearest end, and from there jumps count", async () => {
  const { player, travel } = await play(everySecond(61), { isPlaying: false });
  travel.by(999_000);
  await settled();
  expect([player.shown?.place_ms, player.playhead_ms, player.state]).toEqual([60_000, 60_000, "end"]);
  travel.by(-10_000);
  await settled();
  expect([player.shown?.place_ms, player.state]).toEqual([50_000, "paused"]);
  travel.by(-999_000);
  await settled();
  expect([player.shown?.place_ms, player.playhead_ms]).toEqual([0, 0]);
});

test("playing goes on from where one jumped to", async () => {
  const { clock, player, travel, shown } = await play(everySecond(100));
  await clock.pass(500);
  travel.go({ kind: "start", offset_ms: 50_700 });
  await settled();
  expect(player.shown?.place_ms).toBe(50_000);
  await clock.pass(300);
  expect(shown.at(-1)).toEqual([800, 51_000]);
});

test("every way to go somewhere", async () => {
  const { player, travel } = await play(everySecond(101), { isPlaying: false });
  const there = async () => {
    await settled();
    return player.shown?.place_ms;
  };
  travel.go({ kind: "share", share: 0.3 });
  expect(await there()).toBe(30_000);
  travel.go({ kind: "end", offset_ms: 25_500 });
  expect(await there()).toBe(74_000);
  travel.go({ kind: "wall", t_ms: START_MS + 41_500, unit_ms: 1 });
  expect(await there()).toBe(42_000);
  travel.last();
  expect(await there()).toBe(100_000);
  travel.first();
  expect(await there()).toBe(0);
});

test("a frame that is a little late is the one that a jump or a timecode means", async () => {
  const { player, travel } = await play([0, 1003, 2001, 3004, 11_003, 12_004, 21_005, 22_003], { isPlaying: false });
  const after = async (move: () => void) => {
    move();
    await settled();
    return player.shown?.place_ms;
  };
  expect(await after(() => travel.go({ kind: "start", offset_ms: 1000 }))).toBe(1003);
  expect(await after(() => travel.by(10_000))).toBe(11_003);
  expect(await after(() => travel.by(10_000))).toBe(21_005);
  expect(player.playhead_ms).toBe(21_005);
  expect(await after(() => travel.by(-10_000))).toBe(11_003);
  expect(await after(() => travel.go({ kind: "end", offset_ms: 20_000 }))).toBe(2001);
  expect(await after(() => travel.to(3000))).toBe(2001);
});

test("of many seeks at once the first and the last are done", async () => {
  const { player, travel, cursor } = await play(everySecond(1000), { isPlaying: false });
  const gate = Promise.withResolvers<void>();
  cursor.gate = gate.promise;
  for (let n = 1; n <= 100; n++) travel.to(n * 5000);
  gate.resolve();
  await settled();
  expect(cursor.done.slice(1)).toEqual(["seek 5000", "seek 500000"]);
  expect(player.shown?.place_ms).toBe(500_000);
});

test("a seek that takes long is given up for the next one", async () => {
  const { player, travel, cursor } = await play(everySecond(100), { isPlaying: false });
  cursor.gate = new Promise(() => {});
  const slow = Promise.withResolvers<void>();
  cursor.gate = slow.promise;
  cursor.progress = 0.1;
  travel.to(10_000);
  travel.to(20_000);
  slow.resolve();
  await settled();
  expect(cursor.done.slice(1)).toEqual(["seek 20000"]);
  expect(player.shown?.place_ms).toBe(20_000);
});

test("a seek is given up by Escape; the frame and the playhead stay", async () => {
  const { player, travel, cursor } = await play(everySecond(100), { isPlaying: false }, 7000);
  const slow = Promise.withResolvers<void>();
  cursor.gate = slow.promise;
  travel.by(10_000);
  expect(player.playhead_ms).toBe(17_000);
  player.cancel();
  slow.resolve();
  await settled();
  expect([player.shown?.place_ms, player.playhead_ms]).toEqual([7000, 7000]);
});

test("a place that counts from the end waits until the end is known", async () => {
  const { player, travel, cursor } = await play(everySecond(101), { isPlaying: false });
  const all = cursor.frames.splice(50);
  cursor.scanned = 0.5;
  travel.go({ kind: "share", share: 0.8 });
  await settled();
  expect(player.shown?.place_ms).toBe(0);
  cursor.scanned = 1;
  cursor.append(...all);
  await settled();
  expect(player.shown?.place_ms).toBe(80_000);
});

test("waiting for the end is given up for another place", async () => {
  const { player, travel, cursor } = await play(everySecond(101), { isPlaying: false });
  cursor.scanned = 0.5;
  travel.last();
  await settled();
  travel.to(5000);
  await settled();
  expect(player.shown?.place_ms).toBe(5000);
});

test("the end of what has been scanned is not the end", async () => {
  const { clock, player, cursor } = await play(everySecond(3), {}, 0, 0.5);
  await clock.pass(10_000);
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 2000]);
  cursor.append(frameAt(3000, 3), frameAt(4000, 4));
  await settled();
  expect(player.shown?.place_ms).toBe(3000);
  cursor.scanned = 1;
  cursor.changed();
  await clock.pass(1000);
  expect([player.state, player.shown?.place_ms]).toEqual(["end", 4000]);
});

test("a recording that grows is followed at its end, and ends when it grows no more", async () => {
  const { clock, player, cursor } = await play(everySecond(3));
  await clock.pass(7000);
  expect(player.state).toBe("end");
  cursor.append(frameAt(3000, 3));
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 3000]);
  await clock.pass(1000);
  cursor.append(frameAt(4000, 4));
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 4000]);
  await clock.pass(6000);
  expect(player.state).toBe("end");
});

test("a recording that grew has ended as soon as its recorder has closed it", async () => {
  const { player, cursor } = await play(everySecond(3), {}, 2000);
  cursor.append(frameAt(3000, 3));
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 3000]);
  cursor.isEnded = true;
  cursor.changed();
  expect(player.state).toBe("end");
});

test("what was written while one looked elsewhere is no reason to leave", async () => {
  const { clock, player, cursor } = await play(everySecond(3), { isPlaying: false }, 1000);
  cursor.append(frameAt(3000, 3));
  await clock.pass(1000);
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 1000]);
});

test("live shows what comes, freezes, steps in memory, and comes back to now", async () => {
  const { clock, player, cursor } = await play([], { isLive: true });
  expect(player.shown).toBeNull();
  for (let n = 0; n < 5; n++) {
    cursor.append(frameAt(n * 1000, n));
    await clock.pass(1000);
    expect(player.shown?.place_ms).toBe(n * 1000);
  }
  expect(player.state).toBe("playing");
  player.step(-1);
  player.step(-1);
  cursor.append(frameAt(5000, 5));
  await clock.pass(5000);
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 2000]);
  player.step(1);
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 3000]);
  player.toggle();
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 5000]);
  cursor.append(frameAt(6000, 6), frameAt(7000, 7));
  await settled();
  expect(player.shown?.place_ms).toBe(7000);
  player.toggle();
  cursor.append(frameAt(8000, 8));
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["paused", 7000]);
  player.follow();
  await settled();
  expect([player.state, player.shown?.place_ms]).toEqual(["playing", 8000]);
});

test("events: the next and the previous stop, and nothing beyond the last", async () => {
  const { player, travel, cursor } = await play(everySecond(100), { isPlaying: false });
  const event = (seq: number, kind: string, state: "begin" | "end" | "once", text: string) => ({
    ...{ kind, severity: "warning" as const, state, seq, t_ms: START_MS + seq * 1000, elapsed_ms: seq * 1000 },
    ...{ host: "dgx-01", device: "GPU 2", text },
  });
  cursor.foundEvents = [
    event(10, "xid", "once", "XID 79"),
    event(10, "gpu_lost", "begin", "GPU 2 is lost"),
    event(20, "throttle", "begin", "throttled"),
    event(30, "throttle", "end", "throttled no more"),
    event(40, "gpu_lost", "end", "GPU 2 is lost"),
  ];
  const visited: (number | null | undefined)[] = [];
  const go = async (direction: 1 | -1) => {
    const text = travel.toEvent(direction);
    await settled();
    visited.push(player.shown?.frame.seq);
    return text;
  };
  expect(await go(1)).toBe("GPU 2: XID 79 · GPU 2 is lost");
  expect(await go(1)).toBe("GPU 2: throttled");
  expect(await go(1)).toBe("GPU 2 is back; before: GPU 2 is lost");
  expect(await go(1)).toBe("no later event");
  expect(await go(-1)).toContain("throttled");
  expect(await go(-1)).toContain("XID 79");
  cursor.analysed = 0.5;
  expect(await go(-1)).toBe("no earlier event found yet");
  expect(visited).toEqual([10, 20, 40, 40, 20, 10, 10]);
});

/** Of a host that is asked at an address; `device`: `null` where it is about the host. */
const eventOf = (
  seq: number,
  host: string,
  device: string | null,
  text: string,
  changes: Partial<DetectedEvent> = {},
) =>
  ({
    ...{ kind: "xid", severity: "warning", state: "once", seq, t_ms: START_MS, elapsed_ms: seq * 1000 },
    ...{ host, device, text, ...changes },
  }) satisfies DetectedEvent;

test("an event names its host as the tabs do, and no host where there is one only", async () => {
  const { travel, cursor } = await play(everySecond(20), { isPlaying: false });
  const said = async (event: DetectedEvent, ...hostnames: string[]) => {
    for (const frame of cursor.frames) frame.scrapes = hostnames.map(scrapeOf);
    cursor.foundEvents = [event];
    travel.first();
    await settled();
    return travel.toEvent(1);
  };
  const xid = eventOf(10, "10.0.0.1:9090", "GPU 4", "XID 79");
  expect(await said(xid, "dgx-01", "dgx-02")).toBe("dgx-01 GPU 4: XID 79");
  expect(await said(xid, "dgx-01", "dgx-01")).toBe("10.0.0.1:9090 GPU 4: XID 79");
  expect(await said(xid, "dgx-01")).toBe("GPU 4: XID 79");
  expect(await said({ ...xid, host: "10.0.0.7:9090" }, "dgx-01")).toBe("10.0.0.7:9090 GPU 4: XID 79");
  const back = eventOf(10, "10.0.0.1:9090", null, "no answer", { kind: "host_lost", state: "end" });
  expect(await said(back, "dgx-01")).toBe("dgx-01 is back; before: no answer");
});

test("while it plays fast, N and n go on from the event one came to, for three seconds", async () => {
  const { clock, player, travel, cursor } = await play(everySecond(400), { speed: 8 }, 300_000);
  cursor.foundEvents = [100, 200, 310, 320].map((seq) => eventOf(seq, "dgx-01", "GPU 2", `XID ${seq}`));
  const jumpAfter = async (ms: number, direction: 1 | -1) => {
    await clock.pass(ms);
    const text = travel.toEvent(direction);
    await settled();
    return [text, player.shown?.frame.seq];
  };
  expect(await jumpAfter(0, -1)).toEqual(["GPU 2: XID 200", 200]);
  expect(await jumpAfter(500, -1)).toEqual(["GPU 2: XID 100", 100]);
  expect((await jumpAfter(500, -1))[0]).toBe("no earlier event");
  expect(await jumpAfter(2500, -1)).toEqual(["GPU 2: XID 100", 100]);
  travel.to(312_000);
  await settled();
  expect(await jumpAfter(0, -1)).toEqual(["GPU 2: XID 310", 310]);
  expect(await jumpAfter(2900, 1)).toEqual(["GPU 2: XID 320", 320]);
  await clock.pass(500);
  travel.step(1);
  expect(await jumpAfter(0, -1)).toEqual(["GPU 2: XID 320", 320]);
});

test("where playing began again, N and n count from there", async () => {
  const { clock, travel, cursor, player } = await play(everySecond(20), { speed: 8, isLoop: true }, 1000);
  cursor.foundEvents = [5, 18].map((seq) => eventOf(seq, "dgx-01", "GPU 2", `XID ${seq}`));
  expect(travel.toEvent(1)).toBe("GPU 2: XID 5");
  await settled();
  expect(travel.toEvent(1)).toBe("GPU 2: XID 18");
  await clock.pass(700);
  expect(player.shown?.frame.seq).toBeLessThan(5);
  expect(travel.toEvent(1)).toBe("GPU 2: XID 5");
});

test("a cursor that fails is told of, and playing goes on", async () => {
  const failed: unknown[] = [];
  const { travel, cursor, player } = await play(everySecond(3), {
    isPlaying: false,
    onError: (error) => failed.push(error),
  });
  cursor.gate = Promise.reject(new Error("input/output error"));
  travel.to(1000);
  await settled();
  expect(failed.map(String)).toEqual(["Error: input/output error"]);
  cursor.gate = Promise.resolve();
  travel.to(2000);
  await settled();
  expect(player.shown?.place_ms).toBe(2000);
});
