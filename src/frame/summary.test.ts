import { expect, test } from "bun:test";
import fc from "fast-check";
import { nvidiaFrame } from "../../test/frames.ts";
import type { Frame } from "./frame.ts";
import { CURVES, type Curve, CurveCollector } from "./summary.ts";

/** What a device can show, with unknown values between. */
const value = fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { freq: 4 });
const bytes = fc.option(fc.nat({ max: 2 ** 31 }), { freq: 4 });

const gpu = fc.record({
  ...{ utilization: value, temperature: value, power_consumption: value },
  ...{ used_memory: bytes, total_memory: bytes },
});
const busy = fc.record({ utilization: value });

/** Of the keys that matter here; the rest of a device has nothing to do with curves. */
const frames = fc.array(
  fc
    .record({ gpus: fc.array(gpu), cpus: fc.array(busy), memory: fc.array(busy) }, { requiredKeys: [] })
    .map((sections) => ({ ...nvidiaFrame, gpus: [], cpus: [], memory: [], ...sections }) as unknown as Frame),
);

/** All values of all frames in one list, then the plain formulas. */
function naive(all: readonly Frame[]): Record<string, number[]> {
  const gpus = all.flatMap((frame) => frame.gpus ?? []);
  const lists: Record<Curve, (number | null)[]> = {
    gpu_utilization: gpus.map(({ utilization }) => utilization),
    gpu_memory: gpus.map(({ used_memory, total_memory }) =>
      used_memory === null || !total_memory ? null : (100 * used_memory) / total_memory,
    ),
    gpu_temperature: gpus.map(({ temperature }) => temperature),
    gpu_power: gpus.map(({ power_consumption }) => power_consumption),
    cpu_utilization: all.flatMap(({ cpus }) => (cpus ?? []).map(({ utilization }) => utilization)),
    memory_utilization: all.flatMap(({ memory }) => (memory ?? []).map(({ utilization }) => utilization)),
  };
  const curves: Record<string, number[]> = {};
  for (const [curve, list] of Object.entries(lists)) {
    const known = list.filter((one) => one !== null);
    if (known.length === 0) continue;
    const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
    curves[curve] = [Math.min(...known), mean, Math.max(...known)];
  }
  return curves;
}

test("minimum, mean and maximum of any frames are those of a plain computation, to tenths", () => {
  fc.assert(
    fc.property(frames, (all) => {
      const collector = new CurveCollector();
      for (const frame of all) collector.add(frame);
      const curves = collector.curves();
      const expected = naive(all);
      expect(Object.keys(curves).sort()).toEqual(Object.keys(expected).sort());
      for (const curve of CURVES) {
        for (const [n, one] of (curves[curve] ?? []).entries()) {
          const plain = expected[curve]?.[n] ?? 0;
          // Shares here go up to 10^11, where the formulas differ in the last digits.
          expect(Math.abs(one - plain)).toBeLessThanOrEqual(0.0500001 + plain * 1e-12);
          expect(String(one)).toMatch(/^\d+(\.\d)?$/);
        }
      }
    }),
  );
});

test("a fixed frame", () => {
  const collector = new CurveCollector();
  collector.add(nvidiaFrame);
  expect(collector.curves()).toEqual({
    gpu_utilization: [90.5, 94, 97.5],
    gpu_memory: [80.1, 84.5, 88.9],
    gpu_temperature: [59, 62.5, 66],
    gpu_power: [632, 632, 632],
    cpu_utilization: [12.4, 12.4, 12.4],
    memory_utilization: [19.1, 19.1, 19.1],
  });
});

test("the mean is between the extremes, also where a sum rounds", () => {
  const at = (watts: number): Frame =>
    ({ ...nvidiaFrame, gpus: [{ ...nvidiaFrame.gpus?.[0], power_consumption: watts }] }) as Frame;
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), fc.integer({ min: 1, max: 50 }), (watts, count) => {
      const collector = new CurveCollector();
      for (let n = 0; n < count; n++) collector.add(at(watts));
      const [lowest, mean, highest] = collector.curves().gpu_power ?? [];
      expect([mean, highest]).toEqual([lowest, lowest]);
    }),
  );
});

test("where nothing is known there is no curve", () => {
  expect(new CurveCollector().curves()).toEqual({});
});
