import { describe, expect, test } from "bun:test";
import { eventAt, frameWith, gpu, type Readings } from "../../test/event_frames.ts";
import type { Scrape } from "../frame/schema.ts";
import { MOST_OPEN } from "./conditions.ts";
import { Detector } from "./detector.ts";

const DOWN: Scrape = { host: "b:9", hostname: "b", up: false, latency_ms: null, error: "timed out" };

describe("too many conditions at once", () => {
  const KINDS = ["power", "throttle", "host_lost"] as const;

  /** What one more frame brings: the beginnings of each kind, the endings, and what found no room. */
  function stage(interval_ms = 1000) {
    const detector = new Detector({ interval_ms });
    let seq = 0;
    const add = (count: number, readings: Partial<Readings>, downHosts: readonly number[]) => {
      const gpus = Array.from({ length: count }, (_, n) => gpu(n, readings));
      const scrapes = Array.from({ length: 400 }, (_, n) => ({ ...DOWN, host: `h${n}`, up: !downHosts.includes(n) }));
      const events = detector.add(frameWith(gpus, { scrapes }), { seq, elapsed_ms: seq++ * interval_ms });
      const of = (state: string) =>
        KINDS.map((kind) => events.filter((one) => one.kind === kind && one.state === state).length);
      const refused = KINDS.map((kind) => detector.refused.filter((one) => one === kind).length);
      return { begins: of("begin"), ends: of("end"), refused };
    };
    return { detector, add };
  }
  const counted = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

  test("leave room for those of another severity, and each is counted once while it stays on", () => {
    const { add, detector } = stage();
    const bad = { watts: 701, throttle: ["thermal"] };
    expect(add(800, bad, [])).toEqual({ begins: [0, 192, 0], ends: [0, 0, 0], refused: [0, 608, 0] });
    for (let n = 0; n < 9; n++) expect(add(800, bad, []).refused).toEqual([0, 0, 0]);
    expect(add(800, bad, [])).toEqual({ begins: [64, 0, 0], ends: [0, 0, 0], refused: [736, 0, 0] });
    expect(add(800, bad, [7])).toEqual({ begins: [0, 0, 1], ends: [0, 0, 0], refused: [0, 0, 0] });
    expect(add(800, bad, counted(0, 300)).begins).toEqual([0, 0, 255]);
    expect(detector.refused).toEqual(Array<string>(44).fill("host_lost"));
    expect(detector.open.length).toBe(MOST_OPEN.critical + MOST_OPEN.warning + MOST_OPEN.info);
  });

  test("begin when there is room again, and what never began does not end", () => {
    const { add, detector } = stage();
    expect(add(0, {}, counted(0, 300))).toEqual({ begins: [0, 0, 256], ends: [0, 0, 0], refused: [0, 0, 44] });
    expect(add(0, {}, counted(10, 300))).toEqual({ begins: [0, 0, 10], ends: [0, 0, 10], refused: [0, 0, 0] });
    expect(add(0, {}, counted(10, 300))).toEqual({ begins: [0, 0, 0], ends: [0, 0, 0], refused: [0, 0, 0] });
    expect(add(0, {}, [])).toEqual({ begins: [0, 0, 0], ends: [0, 0, 256], refused: [0, 0, 0] });
    expect(detector.open).toEqual([]);
  });

  test("are counted anew when they were away for a while, and behind a header", () => {
    const { add, detector } = stage();
    add(0, {}, counted(0, 300));
    for (let n = 0; n < 16; n++) add(0, {}, counted(0, 256));
    expect(add(0, {}, counted(0, 300)).refused).toEqual([0, 0, 44]);
    detector.restart(1000);
    expect(add(0, {}, counted(0, 300))).toEqual({ begins: [0, 0, 0], ends: [0, 0, 0], refused: [0, 0, 44] });
  });

  test("are all kept that were on already: an older recorder had other room", () => {
    const open = Array.from({ length: 250 }, (_, n) => ({
      ...eventAt(0, { kind: "throttle", state: "begin" }),
      device: `GPU ${n}`,
    }));
    const detector = new Detector({ interval_ms: 1000, open });
    expect(detector.open.length).toBe(250);
    const all = Array.from({ length: 251 }, (_, n) => gpu(n, { throttle: n === 250 ? ["thermal"] : [] }));
    const found = counted(0, 12).map((seq) => detector.add(frameWith(all), { seq, elapsed_ms: seq * 1000 }));
    expect(found.flat().filter(({ state }) => state === "end").length).toBe(250);
    expect(detector.refused).toEqual([]);
  });
});

describe("a host that is asked for what it says", () => {
  const hosts = ["a:9", "b:9"] as const;
  const [a, b] = hosts.map((host_id) => ({ host_id, hostname: host_id, instance: host_id }));
  const scrapes = hosts.map((host) => ({ ...DOWN, host, up: true, error: null }));
  const reading = (errors: string[], gpus: ReturnType<typeof gpu>[]) => ({ ...frameWith(gpus, { scrapes }), errors });

  test("has 64 conditions at most, its infos leave room for its criticals, and others have theirs", () => {
    const detector = new Detector({ interval_ms: 1000 });
    let seq = 0;
    const add = (errors: string[], gpus: ReturnType<typeof gpu>[]) =>
      detector.add(reading(errors, gpus), { seq, elapsed_ms: seq++ * 1000 });
    const errors = Array.from({ length: 100 }, (_, n) => `reader${n}@a:9: fails`);
    const hot = Array.from({ length: 100 }, (_, n) => gpu(n, { throttle: ["thermal"], watts: 701 }, a));
    for (let n = 0; n < 12; n++) add([...errors, "cpu@b:9: fails"], hot);
    const lost = { throttle: ["thermal"], celsius: 99, lost: "gone" };
    add(errors, [...hot.map((_, n) => gpu(n, lost, a)), gpu(0, { lost: "gone" }, b)]);
    const count = (host: string, severity: string) =>
      detector.open.filter((event) => event.host === host && event.severity === severity).length;
    expect(["critical", "warning", "info"].map((severity) => count("a:9", severity))).toEqual([24, 24, 16]);
    expect([count("b:9", "critical"), detector.open.filter(({ text }) => text.startsWith("cpu@b:9")).length]).toEqual([
      1, 1,
    ]);
    expect(detector.refused.filter((kind) => kind === "gpu_lost")).toHaveLength(76);
  });

  test("is remembered for so many GPUs, however often they have other names", () => {
    const detector = new Detector({ interval_ms: 1000 });
    for (let seq = 0; seq < 90; seq++) {
      const fresh = Array.from({ length: 256 }, (_, n) => gpu(seq * 256 + n, {}, a));
      detector.add(reading([], [...fresh, gpu(0, {}, b), gpu(1, {}, b)]), { seq, elapsed_ms: seq * 1000 });
    }
    const found = Array.from({ length: 30 }, (_, n) => n + 90).flatMap((seq) =>
      detector.add(reading([], [gpu(0, {}, b)]), { seq, elapsed_ms: seq * 1000 }),
    );
    expect(found).toMatchObject([{ kind: "gpu_lost", host: "b:9", device: "GPU 1" }]);
  });
});
