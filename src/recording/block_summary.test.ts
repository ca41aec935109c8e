import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { CurveCollector } from "../frame/summary.ts";
import { BlockCollector } from "./block_summary.ts";

test("a block is summed up as a plain computation over all its frames does", () => {
  const frames = fc.array(frameArbitrary, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(frames, (all) => {
      const collector = new BlockCollector({ interval_ms: 3000, open: [] });
      const curves = new CurveCollector();
      for (const frame of all) {
        collector.add(frame, [], []);
        curves.add(frame);
      }
      const times = all.map(({ t_ms }) => t_ms);
      expect(collector.frames).toBe(all.length);
      expect<object>(collector.sum()).toEqual({
        seq: all.at(-1)?.seq ?? 0,
        block: {
          ...{ first_seq: all[0]?.seq ?? 0, frames: all.length },
          ...{ first_t_ms: times[0], last_t_ms: times.at(-1) },
          ...{ lowest_t_ms: Math.min(...times), highest_t_ms: Math.max(...times) },
          ...{ first_elapsed_ms: all[0]?.elapsed_ms ?? 0, elapsed_ms: all.at(-1)?.elapsed_ms ?? 0 },
          errors: all.flatMap(({ errors }) => errors).length,
          ...{ interval_ms: 3000, open: [], events: [] },
          ...{ more: {}, more_ends: {}, refused_conditions: {}, open_after: null },
          ...curves.curves(),
        },
      });
    }),
    { numRuns: 50 },
  );
});

test("a block without frames has no summary", () => {
  expect(() => new BlockCollector({ interval_ms: null, open: [] }).sum()).toThrow("without frames");
});
