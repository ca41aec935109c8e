import fc from "fast-check";
import type { DetectedEvent } from "../src/events/event.ts";
import type { Frame } from "../src/frame/frame.ts";
import type { Gpu } from "../src/frame/schema.ts";
import { mockSource } from "../src/sources/mock/mock.ts";
import { readAt, START_MS } from "./mock.ts";

/** Frames for tests of events: what matters is chosen, everything else is as an idle H100 has it. */

const GIB = 2 ** 30;
const HOST = { host_id: "node-1", hostname: "node-1", instance: "node-1" };
const idle = readAt(mockSource({ hosts: 1, gpus: 1, seed: 1, include: ["gpus"], health: false }), START_MS)
  .gpus?.[0] as Gpu;

/** The readings that events come from. */
export interface Readings {
  readonly utilization: number | null;
  readonly memory_gib: number | null;
  readonly celsius: number | null;
  readonly watts: number | null;
  readonly throttle: readonly string[] | null;
  readonly corrected: number | null;
  readonly uncorrected: number | null;
  readonly link: string | null;
  readonly lost: string | null;
}

export const QUIET: Readings = {
  utilization: 0,
  memory_gib: 0,
  celsius: 40,
  watts: 80,
  throttle: [],
  corrected: 0,
  uncorrected: 0,
  link: "active",
  lost: null,
};

export const UNREAD: Readings = {
  utilization: null,
  memory_gib: null,
  celsius: null,
  watts: null,
  throttle: null,
  corrected: null,
  uncorrected: null,
  link: null,
  lost: null,
};

/** Slows down at 92 °C, has 80 GiB and a limit of 700 W. */
export function gpu(index: number, changes: Partial<Readings> = {}, host = HOST): Gpu {
  const now = { ...QUIET, ...changes };
  return {
    ...idle,
    ...host,
    index,
    uuid: `GPU-${index}`,
    utilization: now.utilization,
    used_memory: now.memory_gib === null ? null : now.memory_gib * GIB,
    total_memory: 80 * GIB,
    temperature: now.celsius,
    temperature_threshold_slowdown: 92,
    power_consumption: now.watts,
    lost: now.lost === null ? null : { since: "2026-04-18T12:00:00Z", reason: now.lost },
    health: {
      throttle: now.throttle === null ? null : [...now.throttle],
      power_limit_watts: 700,
      ecc: {
        corrected_volatile: now.corrected,
        uncorrected_volatile: now.uncorrected,
        corrected_aggregate: null,
        uncorrected_aggregate: null,
      },
      nvlink: [
        { link_index: 0, state: "active", crc_errors: 0, replay_errors: 0, recovery_errors: 0 },
        { link_index: 1, state: now.link, crc_errors: 0, replay_errors: 0, recovery_errors: 0 },
      ],
    },
  };
}

export function frameWith(gpus: Gpu[], changes: Partial<Frame> = {}): Frame {
  return { t_ms: START_MS, seq: 0, elapsed_ms: 0, source: "local", hostname: "node-1", errors: [], gpus, ...changes };
}

const readings: fc.Arbitrary<Partial<Readings>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ utilization: 95, memory_gib: 70, celsius: 70, watts: 500 }) },
  { weight: 3, arbitrary: fc.constant({ utilization: 1, memory_gib: 70 }) },
  { weight: 1, arbitrary: fc.constant(UNREAD) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        utilization: fc.constantFrom(null, 0, 4, 20, 30, 95),
        memory_gib: fc.constantFrom(null, 0, 3, 40, 70),
        celsius: fc.constantFrom(null, 89, 90, 91, 92, 95),
        watts: fc.constantFrom(null, 100, 664, 680, 693, 701),
        throttle: fc.constantFrom(null, [], ["power"], ["thermal"], ["hardware", "power"]),
        corrected: fc.constantFrom(null, 0, 1, 2, 3),
        uncorrected: fc.constantFrom(null, 0, 1),
        link: fc.constantFrom(null, "active", "inactive"),
        lost: fc.constantFrom(null, null, "fell off the bus"),
      },
      { requiredKeys: [] },
    ),
  },
);

const ERRORS = ["cpu: no", "cpu: never", "nvidia: late", "clock: stepped by 9 s", "storage@b: stale", "no reader"];

/** Some frames of the same kind in a row. */
const stretch = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 25 }), fc.integer({ min: 60, max: 80 })),
  step_ms: fc.constantFrom(0, 200, 1000, 1000, 1000, 1000, 2600, 9000, 16_000, 40_000),
  gpus: fc.array(readings, { minLength: 1, maxLength: 2 }),
  isSecondMissing: fc.boolean(),
  errors: fc.subarray(ERRORS, { maxLength: 2 }),
  up: fc.constantFrom(null, true, false),
});

type Stretch = typeof stretch extends fc.Arbitrary<infer T> ? T : never;

/** What happens in a row of frames, in few words. */
export const eventfulStretches: fc.Arbitrary<Stretch[]> = fc.array(stretch, {
  minLength: 2,
  maxLength: 10,
  size: "max",
});

/** The frames of it, on the timeline of a recording. */
export function framesOf(stretches: readonly Stretch[]): Frame[] {
  let elapsed_ms = 0;
  const frames: Frame[] = [];
  for (const { count, step_ms, gpus, isSecondMissing, errors, up } of stretches) {
    for (let n = 0; n < count; n++) {
      elapsed_ms += step_ms;
      const devices = gpus.map((changes, index) => gpu(index, changes));
      const t_ms = START_MS + elapsed_ms;
      const frame = frameWith(isSecondMissing ? devices.slice(0, 1) : devices, { t_ms, elapsed_ms, errors });
      if (up !== null) frame.scrapes = [{ host: "b", hostname: "b", up, latency_ms: null, error: null }];
      frames.push(frame);
    }
  }
  return frames;
}

/** How many of a crowd are in a bad way, from which one on. */
const some = fc.record({ from: fc.nat({ max: 60 }), count: fc.constantFrom(0, 3, 100, 180, 240, 300) });

type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;

const CROWD = Array.from({ length: 360 }, (_, n) => n);
const isOf = ({ from, count }: Some, n: number): boolean => n >= from && n < from + count;

/** Hosts that are down, readers that fail, GPUs at their limit; each GPU has as little as makes small frames. */
function crowdedFrame(elapsed_ms: number, down: Some, failing: Some, limited: Some): Frame {
  const errors = CROWD.filter((n) => isOf(failing, n)).map((n) => `reader-${n}: no`);
  const scrapes = CROWD.map((n) => {
    const host = `h${n}`;
    return { host, hostname: host, up: !isOf(down, n), latency_ms: null, error: null };
  });
  const gpus = CROWD.slice(0, 100).map((n) => ({
    ...gpu(n, { watts: isOf(limited, n) ? 701 : 80 }),
    health: { power_limit_watts: 700 },
  }));
  return frameWith(gpus, { t_ms: START_MS + elapsed_ms, elapsed_ms, errors, scrapes });
}

/** More conditions of each severity than there is room for, which come and go. */
export const crowdedFrames: fc.Arbitrary<Frame[]> = fc
  .array(
    fc.record({
      ...{ count: fc.integer({ min: 1, max: 12 }), step_ms: fc.constantFrom(1000, 1000, 9000, 40_000) },
      ...{ down: some, failing: some, limited: some },
    }),
    { minLength: 3, maxLength: 10, size: "max" },
  )
  .map((steps) => {
    let elapsed_ms = 0;
    return steps.flatMap(({ count, step_ms, down, failing, limited }) =>
      Array.from({ length: count }, () => {
        elapsed_ms += step_ms;
        return crowdedFrame(elapsed_ms, down, failing, limited);
      }),
    );
  });

/** Something at that second of a recording. */
export const eventAt = (
  second: number,
  what: Partial<DetectedEvent> & Pick<DetectedEvent, "kind" | "state">,
): DetectedEvent => ({
  ...{ severity: "warning", host: "node-1", device: null, text: "" },
  ...{ seq: second, t_ms: START_MS + second * 1000, elapsed_ms: second * 1000 },
  ...what,
});
