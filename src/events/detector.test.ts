import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import {
  crowdedFrames,
  eventfulStretches,
  framesOf,
  frameWith,
  gpu,
  QUIET,
  type Readings,
  UNREAD,
} from "../../test/event_frames.ts";
import type { Frame } from "../frame/frame.ts";
import type { FrameEvent, Gpu, Scrape } from "../frame/schema.ts";
import { SEVERITIES } from "../frame/severity.ts";
import { MOST_OPEN, openAfter } from "./conditions.ts";
import { Detector, lookback_ms } from "./detector.ts";
import type { DetectedEvent } from "./event.ts";

const BUSY: Partial<Readings> = { utilization: 97, memory_gib: 70, celsius: 70, watts: 600 };
const IDLE_WITH_MEMORY: Partial<Readings> = { ...BUSY, utilization: 1, watts: 120 };

/** `kind state@second`, of a frame a second. */
const told = (events: readonly DetectedEvent[]): string[] =>
  events.map(({ kind, state, elapsed_ms }) => `${kind} ${state}@${elapsed_ms / 1000}`);

interface Timing {
  readonly step_ms?: number;
  readonly interval_ms?: number | null;
}

function detect(frames: readonly Frame[], { step_ms = 1000, interval_ms = step_ms }: Timing = {}): DetectedEvent[] {
  const detector = new Detector({ interval_ms });
  return frames.flatMap((frame, seq) => detector.add(frame, { seq, elapsed_ms: seq * step_ms }));
}

/** What one GPU's readings tell, a frame each. */
const ofGpu = (readings: readonly Partial<Readings>[], timing?: Timing): string[] =>
  told(
    detect(
      readings.map((one) => frameWith([gpu(0, one)])),
      timing,
    ),
  );

const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);
const celsius = (...values: (number | null)[]): Partial<Readings>[] => values.map((value) => ({ celsius: value }));

describe("temperature", () => {
  test("is on from its threshold until it was 2 °C below for a while", () => {
    expect(ofGpu(celsius(91, 92, 93, 92, 91, ...times(12, 90)))).toEqual(["temperature begin@1", "temperature end@14"]);
  });

  test("flickers as one event", () => {
    expect(ofGpu(times(30, celsius(92, 90)).flat())).toEqual(["temperature begin@0"]);
  });

  test("neither begins nor ends where it is unknown", () => {
    expect(ofGpu([...celsius(95), ...celsius(...times(60, null)), ...celsius(95)])).toEqual(["temperature begin@0"]);
    expect(ofGpu(times(5, UNREAD))).toEqual([]);
  });

  test("says which GPU, and how hot", () => {
    const [event] = detect([frameWith([gpu(0), gpu(3, { celsius: 94 })])]);
    expect(event).toMatchObject({ host: "node-1", device: "GPU 3", severity: "warning", seq: 0 });
    expect(event?.text).toContain("94 °C, slows down at 92 °C");
  });
});

describe("power", () => {
  const watts = (...values: (number | null)[]) => values.map((value) => ({ watts: value }));

  test("is on when it was at its limit for ten seconds, until it is well below", () => {
    expect(ofGpu(watts(600, ...times(20, 699), ...times(5, 680), ...times(15, 500)))).toEqual([
      "power begin@11",
      "power end@35",
    ]);
  });

  test("of nine seconds is nothing, nor of nine and nine", () => {
    const nine = times(10, 699);
    expect(ofGpu(watts(...nine, 650, ...nine, 650))).toEqual([]);
  });

  test("goes on through readings that failed", () => {
    expect(ofGpu(watts(...times(6, 699), null, null, ...times(6, 699)))).toEqual(["power begin@10"]);
  });

  test("takes the limit from where the Rust tool has it", () => {
    const frame = (detail: Record<string, string>) => frameWith([{ ...gpu(0, { watts: 399 }), health: null, detail }]);
    expect(told(detect(times(12, frame({ power_limit_current: "400.00" }))))).toEqual(["power begin@10"]);
    expect(told(detect(times(12, frame({ power_limit_current: "N/A" }))))).toEqual([]);
  });
});

describe("a cliff", () => {
  const minute = times(62, BUSY);

  test("begins when a busy GPU stops and keeps its memory, and ends when it is busy again", () => {
    expect(ofGpu([...minute, ...times(30, IDLE_WITH_MEMORY), BUSY])).toEqual(["cliff begin@72", "cliff end@92"]);
  });

  test("ends when its memory goes", () => {
    expect(ofGpu([...minute, ...times(30, IDLE_WITH_MEMORY), QUIET])).toEqual(["cliff begin@72", "cliff end@92"]);
    const other = { ...IDLE_WITH_MEMORY, memory_gib: 20 };
    expect(ofGpu([...minute, ...times(30, IDLE_WITH_MEMORY), other])).toEqual(["cliff begin@72", "cliff end@92"]);
  });

  test("is no job that ends, pauses for moments, or was not busy for a minute", () => {
    expect(ofGpu([...minute, ...times(4, IDLE_WITH_MEMORY), ...times(30, QUIET)])).toEqual([]);
    expect(ofGpu(times(5, [...minute, ...times(9, IDLE_WITH_MEMORY)]).flat())).toEqual([]);
    expect(ofGpu([...times(40, BUSY), ...times(60, IDLE_WITH_MEMORY)])).toEqual([]);
    expect(ofGpu(times(10, [...times(20, BUSY), ...times(20, IDLE_WITH_MEMORY)]).flat())).toEqual([]);
  });

  test("is found through a slow fall and lost readings", () => {
    const falling = [60, 25, 8].map((utilization) => ({ ...BUSY, utilization }));
    const unread = times(5, { ...BUSY, utilization: null });
    expect(ofGpu([...minute, ...unread, ...falling, ...times(12, IDLE_WITH_MEMORY)])).toEqual(["cliff begin@80"]);
  });

  test("is found in a slow recording, and not across hours without readings", () => {
    const slow = [...times(4, BUSY), ...times(3, IDLE_WITH_MEMORY), BUSY];
    expect(ofGpu(slow, { step_ms: 60_000 })).toEqual(["cliff begin@300", "cliff end@420"]);
    expect(ofGpu(slow, { step_ms: 60_000, interval_ms: 1000 }).filter((one) => one.startsWith("cliff"))).toEqual([]);
  });
});

describe("throttling", () => {
  const throttle = (...values: (string[] | null)[]) => values.map((value) => ({ throttle: value }));

  test("is told where something is wrong, not where a power limit is kept", () => {
    const reasons = throttle(["power"], ["sync"], ["thermal", "power"], ["hardware"], null, ...times(12, ["power"]));
    expect(ofGpu(reasons)).toEqual(["throttle begin@2", "throttle end@13"]);
  });

  test("flickers as one event", () => {
    expect(ofGpu(times(40, throttle(["thermal"], [], [])).flat())).toEqual(["throttle begin@0"]);
  });
});

describe("memory errors", () => {
  test("that were corrected are on from the first until a minute without", () => {
    const counts = [5, 5, 6, 6, 9, ...times(70, 9)].map((corrected) => ({ corrected }));
    expect(ofGpu(counts)).toEqual(["ecc begin@2", "ecc end@64"]);
  });

  test("that were not are told each time", () => {
    const counts = [null, 3, 3, 4, null, 4, 7, 0, 0].map((uncorrected) => ({ uncorrected }));
    expect(ofGpu(counts)).toEqual(["ecc once@3", "ecc once@6"]);
  });
});

describe("memory that is taken out of use", () => {
  const told = (...healths: Partial<NonNullable<Gpu["health"]>>[]) =>
    detect(healths.map((health) => frameWith([{ ...gpu(0), health }]))).map(
      ({ kind, severity, state, seq, text }) => `${kind} ${severity} ${state}@${seq} ${text}`,
    );
  const rows = (pending: number | null, failure = 0) => ({
    remapped_rows: { correctable: 0, uncorrectable: 1, pending, failure },
  });

  test("rows: once when one waits for a reset, and once when there is none to replace it", () => {
    expect(told(rows(0), rows(null), rows(1), rows(1), rows(0), rows(0, 1))).toEqual([
      "ecc warning once@2 a bad memory row waits for a reset to be replaced",
      "ecc critical once@5 a bad memory row could not be replaced",
    ]);
  });

  test("pages: each time that there are more of them, and how many", () => {
    const pages = [null, 3, 3, 5, 5, 0].map((retired_pages) => ({ retired_pages }));
    expect(told(...pages)).toEqual(["ecc warning once@3 memory pages were taken out of use: 2"]);
  });
});

describe("an NVLink", () => {
  const link = (...values: (string | null)[]) => values.map((value) => ({ link: value }));

  test("that was active goes down and comes back", () => {
    expect(ofGpu(link("active", null, "inactive", null, "inactive", "active"))).toEqual(["link begin@2", "link end@5"]);
  });

  test("that was never active is not plugged in", () => {
    expect(ofGpu(link(...times(9, "inactive")))).toEqual([]);
  });
});

describe("a lost GPU", () => {
  test("is one that its reader calls lost, until it answers", () => {
    const readings = [QUIET, ...times(3, { ...UNREAD, lost: "XID 79" }), UNREAD, QUIET];
    expect(ofGpu(readings)).toEqual(["gpu_lost begin@1", "gpu_lost end@5"]);
  });

  test("is one that is missing for ten seconds while others of its host are there", () => {
    const both = frameWith([gpu(0), gpu(1)]);
    const one = frameWith([gpu(0)]);
    const events = detect([both, ...times(15, one), both]);
    expect(told(events)).toEqual(["gpu_lost begin@10", "gpu_lost end@16"]);
    expect(events[0]).toMatchObject({ device: "GPU 1", host: "node-1" });
  });

  test("is not one whose reader failed, whose host has none, or that came back", () => {
    const both = frameWith([gpu(0), gpu(1)]);
    const failed = frameWith([gpu(0)], { errors: ["nvidia: GPU 1: no answer"] });
    const kinds = (frames: Frame[]) => new Set(detect(frames).map(({ kind }) => kind));
    expect(kinds([both, ...times(30, failed)])).toEqual(new Set(["error"]));
    expect(kinds([both, ...times(30, frameWith([]))])).toEqual(new Set());
    expect(kinds(times(5, [both, ...times(5, frameWith([gpu(0)]))]).flat())).toEqual(new Set());
    const { gpus: _, ...without } = both;
    expect(kinds([both, ...times(30, without)])).toEqual(new Set());
  });

  test("is told of a reader's host only", () => {
    const [a, b] = ["a:9", "b:9"].map((host_id) => ({ host_id, hostname: host_id.slice(0, 1), instance: host_id }));
    const scrapes = ["a", "b"].map((hostname) => ({ ...UP, host: `${hostname}:9`, hostname }));
    const of = (devices: number, errors: string[]) =>
      frameWith(
        [..."ab"].flatMap((h) => [0, 1].slice(0, devices).map((n) => gpu(n, {}, h === "a" ? a : b))),
        {
          errors,
          scrapes,
        },
      );
    const events = detect([of(2, []), ...times(12, of(1, ["nvidia@a: no"]))]);
    expect(events.filter(({ kind }) => kind === "gpu_lost").map(({ host }) => host)).toEqual(["b:9"]);
    expect(events.find(({ kind }) => kind === "error")?.host).toBe("a:9");
  });

  test("without an index is called by its uuid", () => {
    const { index: _, ...unnumbered } = gpu(0, { lost: "gone" });
    expect(detect([frameWith([unnumbered])])[0]?.device).toBe("GPU-0");
  });
});

const UP: Scrape = { host: "b:9", hostname: "b", up: true, latency_ms: 3, error: null };
const DOWN: Scrape = { ...UP, up: false, latency_ms: null, error: "timed out" };

describe("a host", () => {
  test("is lost once, and is back", () => {
    const scraped = (...scrapes: Scrape[]) => frameWith([], { scrapes });
    const events = detect([scraped(UP), scraped(DOWN), scraped(DOWN), scraped(), scraped(DOWN), scraped(UP)]);
    expect(told(events)).toEqual(["host_lost begin@1", "host_lost end@5"]);
    expect(events[0]).toMatchObject({ host: "b:9", device: null, severity: "critical" });
    expect(events[0]?.text).toContain("timed out");
  });

  test("that is lost keeps what was wrong with it", () => {
    const hot = frameWith([gpu(0, { celsius: 95 })], { scrapes: [UP] });
    const gone = frameWith([], { scrapes: [DOWN] });
    const broken = frameWith([], { scrapes: [UP], errors: ["cpu@b: no"] });
    expect(told(detect([hot, ...times(60, gone)]))).toEqual(["temperature begin@0", "host_lost begin@1"]);
    expect(told(detect([broken, ...times(60, gone)]))).toEqual(["error begin@0", "host_lost begin@1"]);
  });
});

describe("a reader that fails", () => {
  const failing = (...errors: string[]) => frameWith([], { errors });

  test("for ever is one event, whatever its words", () => {
    const frames = Array.from({ length: 500 }, (_, n) => failing(`cpu: attempt ${n}`));
    expect(told(detect(frames))).toEqual(["error begin@0"]);
  });

  test("now and then is one event, until it was well for half a minute", () => {
    const frames = [...times(20, [failing("cpu: no"), ...times(9, failing())]).flat(), ...times(40, failing())];
    expect(told(detect(frames))).toEqual(["error begin@0", "error end@220"]);
  });

  test("is another one on another host", () => {
    const events = detect([failing("cpu@a: no", "cpu@b: no", "cpu: no"), failing("cpu@a: yes")]);
    expect(events.map(({ host }) => host)).toEqual(["a", "b", "node-1"]);
  });

  test("does not hide a clock that was set, which is told each time", () => {
    const events = detect([failing("clock: stepped by -3600 s"), failing(), failing("clock: stepped by 60 s")]);
    expect(told(events)).toEqual(["clock once@0", "clock once@2"]);
    expect(events[0]?.text).toBe("stepped by -3600 s");
  });
});

describe("a gap", () => {
  const at = (interval_ms: number | null, ...places_s: number[]) => {
    const detector = new Detector({ interval_ms });
    return told(places_s.flatMap((s, seq) => detector.add(frameWith([]), { seq, elapsed_ms: s * 1000 })));
  };

  test("is more than two and a half intervals", () => {
    expect(at(1000, 0, 1, 3.5, 6.1, 7)).toEqual(["gap once@6.1"]);
    expect(at(10_000, 0, 10, 35, 61)).toEqual(["gap once@61"]);
  });

  test("is measured by the steps before where no header says what the interval is", () => {
    expect(at(null, 0, 5, 10, 20, 25, 55, 60)).toEqual(["gap once@55"]);
    expect(at(null, 0, 1, 2, 2, 4, 4, 5, 7)).toEqual([]);
  });

  test("is what a recorder leaves that is started again", () => {
    const detector = new Detector({ interval_ms: 1000, last_ms: 4000 });
    expect(told(detector.add(frameWith([]), { seq: 5, elapsed_ms: 60_000 }))).toEqual(["gap once@60"]);
    detector.restart(60_000);
    expect(told(detector.add(frameWith([]), { seq: 6, elapsed_ms: 180_000 }))).toEqual([]);
  });
});

describe("what sources heard of", () => {
  const heard: FrameEvent = {
    kind: "xid",
    severity: "critical",
    t: "2026-04-18T12:00:00Z",
    host: "node-1",
    device: "GPU-1",
    text: "XID 79\n\u001b[2J",
  };

  test("is told as it is, of the GPU as people call it", () => {
    const events = detect([frameWith([gpu(0), gpu(1)], { events: [heard, { ...heard, kind: "oom", device: null }] })]);
    expect(events).toMatchObject([
      { kind: "xid", severity: "critical", state: "once", device: "GPU 1", text: "XID 79 [2J" },
      { kind: "oom", device: null },
    ]);
  });

  test("keeps the name of a device that is not in the frame", () => {
    expect(detect([frameWith([], { events: [heard] })])[0]?.device).toBe("GPU-1");
  });
});

describe("a restart", () => {
  test("keeps what was on, and forgets the rest", () => {
    const detector = new Detector({ interval_ms: 1000 });
    let seq = 0;
    const add = (readings: Partial<Readings>, count: number) =>
      told(
        times(count, readings).flatMap((one) =>
          detector.add(frameWith([gpu(0, one)]), { seq, elapsed_ms: seq++ * 1000 }),
        ),
      );
    expect(add({ ...BUSY, celsius: 95 }, 70)).toEqual(["temperature begin@0"]);
    detector.restart(1000);
    expect(detector.open.map(({ kind }) => kind)).toEqual(["temperature"]);
    expect(add(IDLE_WITH_MEMORY, 30)).toEqual(["temperature end@80"]);
  });
});

/** Every begin is followed by its end before it comes again; what is open is what began and did not end. */
function expectConsistent(events: readonly DetectedEvent[], open: readonly DetectedEvent[]): void {
  const on = new Set<string>();
  for (const { kind, host, device, text, state } of events) {
    const key = JSON.stringify([kind, host, device, kind === "error" || kind === "link" ? text.split(": ")[0] : ""]);
    if (state === "once") continue;
    expect([key, on.has(key)]).toEqual([key, state === "end"]);
    if (state === "begin") on.add(key);
    else on.delete(key);
  }
  expect(open.length).toBe(on.size);
  expect(openAfter([], events)).toEqual([...open]);
}

describe.each([
  ["few", eventfulStretches.map(framesOf), 50],
  ["more than there is room for", crowdedFrames, 15],
] as const)("of conditions, %s:", (_, rows, numRuns) => {
  test("beginnings and endings take turns, and no severity takes more than its room", () => {
    const property = fc.property(rows, (frames) => {
      const detector = new Detector({ interval_ms: 1000 });
      const events: DetectedEvent[] = [];
      for (const [seq, frame] of frames.entries()) {
        events.push(...detector.add(frame, { seq, elapsed_ms: frame.elapsed_ms ?? 0 }));
        for (const severity of SEVERITIES) {
          const open = detector.open.filter((event) => event.severity === severity);
          expect(open.length).toBeLessThanOrEqual(MOST_OPEN[severity]);
        }
      }
      expectConsistent(events, detector.open);
    });
    fc.assert(property, { numRuns });
  });

  test("a detector that begins late goes on like one that saw everything", () => {
    const property = fc.property(rows, fc.integer({ min: 0, max: 999 }), (frames, place) => {
      const from = Math.floor((place / 1000) * frames.length);
      const from_ms = (frames[from]?.elapsed_ms ?? 0) - lookback_ms(1000);
      const places = frames.map(({ elapsed_ms }, seq) => ({ seq, elapsed_ms: elapsed_ms ?? 0 }));
      const all = new Detector({ interval_ms: 1000 });
      const late = new Detector({ interval_ms: 1000 });
      // One frame from before that time, as the first of a block is.
      const first = places.findLastIndex((one) => one.elapsed_ms <= from_ms);
      for (const [n, frame] of frames.entries()) {
        const at = places[n] ?? { seq: 0, elapsed_ms: 0 };
        if (n === from) late.open = all.open;
        const expected = all.add(frame, at);
        const found = n >= first ? late.add(frame, at) : [];
        if (n >= from) expect([found, late.refused]).toEqual([expected, all.refused]);
      }
      expect(late.open).toEqual(all.open);
    });
    fc.assert(property, { numRuns: 2 * numRuns });
  });
});

test("any frames go through, and texts of any kind are one bounded line", () => {
  const property = fc.property(fc.array(frameArbitrary, { maxLength: 8 }), fc.nat(), (frames, step_ms) => {
    const detector = new Detector({ interval_ms: null });
    const events = frames.flatMap((frame, seq) => detector.add(frame, { seq, elapsed_ms: seq * step_ms }));
    for (const { text, host, device } of events) {
      expect([text, host, device ?? ""].join("")).not.toMatch(/\p{Cc}/u);
      expect(text.length).toBeLessThanOrEqual(240);
    }
    expect(openAfter([], events)).toEqual(detector.open);
  });
  fc.assert(property);
});
