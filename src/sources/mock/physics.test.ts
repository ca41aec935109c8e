import { describe, expect, test } from "bun:test";
import { START_MS } from "../../../test/mock.ts";
import type { GpuState } from "./gpu_state.ts";
import { GpuModel, SLOWDOWN_C } from "./gpu_state.ts";
import { type IncidentKind, IncidentSchedule, SLOT_S } from "./incidents.ts";
import { JobSchedule, ROUND_S } from "./jobs.ts";
import { PowerHistory } from "./thermal.ts";

const START_S = START_MS / 1000;
const GPUS = 8;

class Simulated {
  readonly jobs: JobSchedule;
  readonly incidents: IncidentSchedule;
  readonly model: GpuModel;

  constructor(seed: number) {
    this.jobs = new JobSchedule(seed, GPUS);
    this.incidents = new IncidentSchedule(seed, 2, GPUS, this.jobs);
    this.model = new GpuModel(seed, 2, GPUS, this.jobs, this.incidents);
  }

  /** The first incident of the kind, and the states of its GPU at each second relative to its beginning. */
  find(kind: IncidentKind): { readonly lasts_s: number; around(from_s: number, to_s: number): GpuState[] } {
    for (let slot = START_S / SLOT_S; ; slot++) {
      const incident = this.incidents.inSlot(slot);
      if (incident === null || incident.kind !== kind || incident.gpu === null) continue;
      const { host, gpu, begin_s, end_s } = incident;
      const at = (s: number) => this.model.at(host, gpu, begin_s + s);
      return { lasts_s: end_s - begin_s, around: (from_s, to_s) => seconds(from_s, to_s).map(at) };
    }
  }
}

const seconds = (from_s: number, to_s: number): number[] => Array.from({ length: to_s - from_s }, (_, i) => from_s + i);
const { jobs, model } = new Simulated(11);
const SEEDS = seconds(0, 25);

const most = (states: GpuState[], of: (state: GpuState) => number): number => Math.max(...states.map(of));
const least = (states: GpuState[], of: (state: GpuState) => number): number => Math.min(...states.map(of));

describe("an hour of a GPU", () => {
  const hour = Array.from({ length: 3600 }, (_, s) => model.at(0, 0, START_S + s));

  test("its temperature never jumps", () => {
    for (let s = 1; s < hour.length; s++) {
      const step = (hour[s] as GpuState).temperature_c - (hour[s - 1] as GpuState).temperature_c;
      expect(Math.abs(step)).toBeLessThan(3);
    }
  });

  test("it is hot when it has drawn much power for a minute, and cool when it has not", () => {
    for (let s = 90; s < hour.length; s++) {
      const minute = hour.slice(s - 60, s + 1);
      if (minute.some(({ incident }) => incident !== null)) continue;
      const { temperature_c } = hour[s] as GpuState;
      if (least(minute, ({ power_w }) => power_w) > 550) expect(temperature_c).toBeWithin(56, 80);
      if (most(minute, ({ power_w }) => power_w) < 130) expect(temperature_c).toBeWithin(32, 52);
    }
  });

  test("power follows utilization", () => {
    for (const { utilization, power_w, job } of hour) {
      if (utilization > 0.9) expect(power_w).toBeGreaterThan(480);
      if (utilization < 0.02) expect(power_w).toBeLessThan(130);
      if (job === null) expect(power_w).toBeLessThan(80);
    }
  });

  test("it sees steady work, dips and the end of a job", () => {
    expect(hour.filter(({ utilization }) => utilization > 0.9).length).toBeGreaterThan(1800);
    expect(hour.some(({ utilization }) => utilization > 0.25 && utilization < 0.45)).toBeTrue();
    expect(hour.some(({ job }) => job === null)).toBeTrue();
  });
});

test("memory comes in steps when a job starts and is gone when it ends", () => {
  for (let host = 0, rounds = 0; rounds < 12; rounds++) {
    const boundary_s = START_S + rounds * ROUND_S;
    const [before, after] = [jobs.at(host, 7, boundary_s), jobs.at(host, 7, boundary_s + 60)];
    const used = Array.from({ length: 60 }, (_, s) => model.at(host, 7, boundary_s + s).memoryMiB);
    if (before === null || after === null || before.id === after.id) continue;
    expect(used[0]).toBeGreaterThan(20_000);
    expect(used[16]).toBe(0);
    expect(used[59]).toBeGreaterThan(20_000);
    expect(new Set(used).size).toBeGreaterThan(5);
    return;
  }
  throw new Error("no job followed another");
});

describe("incidents in the values", () => {
  test.each(SEEDS)("overheating passes the slowdown threshold, slows the clock, and ends (seed %d)", (seed) => {
    const states = new Simulated(seed).find("overheating").around(-5, 150);
    expect(most(states.slice(0, 5), ({ temperature_c }) => temperature_c)).toBeLessThan(80);
    expect(most(states, ({ temperature_c }) => temperature_c)).toBeWithin(SLOWDOWN_C, 95);
    const hot = states.filter(({ temperature_c }) => temperature_c > SLOWDOWN_C);
    expect(hot.length).toBeGreaterThan(10);
    expect(most(hot, ({ clock_mhz }) => clock_mhz)).toBeLessThan(1600);
    expect(most(hot, ({ utilization }) => utilization)).toBeLessThan(0.9);
    expect(hot.every(({ throttle }) => throttle === "thermal")).toBeTrue();
    expect(states.slice(70, 85).every(({ throttle, clock_mhz }) => throttle === null && clock_mhz > 1900)).toBeTrue();
  });

  test.each(SEEDS)("a cliff: busy for a minute, then near nothing, with its memory in place (seed %d)", (seed) => {
    const { around, lasts_s } = new Simulated(seed).find("cliff");
    const [before, during] = [around(-60, 0), around(0, lasts_s)];
    expect(least(before, ({ utilization }) => utilization)).toBeGreaterThan(0.5);
    expect(most(during, ({ utilization }) => utilization)).toBeLessThan(0.05);
    expect(least(during, ({ memoryMiB }) => memoryMiB)).toBeGreaterThanOrEqual(before.at(-1)?.memoryMiB ?? 0);
    expect(least(around(lasts_s, lasts_s + 5), ({ utilization }) => utilization)).toBeGreaterThan(0.5);
  });

  test.each(SEEDS)("power at the limit, and not before (seed %d)", (seed) => {
    const { around, lasts_s } = new Simulated(seed).find("power_limit");
    const during = around(0, lasts_s);
    expect(least(during, ({ power_w }) => power_w)).toBeGreaterThanOrEqual(700);
    expect(during.every(({ throttle, clock_mhz }) => throttle === "power" && clock_mhz < 1950)).toBeTrue();
    expect(most(around(-60, 0), ({ power_w }) => power_w)).toBeLessThan(690);
  });
});

describe("the memory of power", () => {
  const step = (id: number, t_s: number) => (t_s < 1000 ? 100 : 500 + id);

  test("settles on a steady power, and approaches a new one without overshooting", () => {
    const history = new PowerHistory(1, step);
    expect(history.recent(0, 1000)).toBeCloseTo(100, 9);
    let before = 100;
    for (let t_s = 1001; t_s < 1080; t_s++) {
      const now = history.recent(0, t_s);
      expect(now).toBeWithin(before - 1e-9, 500.001);
      before = now;
    }
    expect(before).toBeCloseTo(500, 9);
  });

  test("does not depend on what was asked before", () => {
    const noisy = (id: number, t_s: number) => 300 + 200 * Math.sin(t_s + id);
    const walked = new PowerHistory(2, noisy);
    for (const t_s of [5000, 5001.5, 5003, 5040, 4000, 9000, 9003, 1e9, 5000]) {
      expect(walked.recent(1, t_s)).toBe(new PowerHistory(2, noisy).recent(1, t_s));
    }
  });
});
