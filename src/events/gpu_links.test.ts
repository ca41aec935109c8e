import { expect, test } from "bun:test";
import fc from "fast-check";
import { LinkMemory, type Links } from "./gpu_links.ts";
import type { Moment } from "./marks.ts";

const LINK_MS = 10_000;
const moment = (place_ms: number): Moment => ({ place_ms, link_ms: LINK_MS, lookback_ms: 60_000, since_ms: 0 });

const linksOf = (states: readonly (string | null)[]): Links =>
  states.map((state, link_index) => ({ link_index, state, crc_errors: 0, replay_errors: 0, recovery_errors: 0 }));

const state = fc.constantFrom("active", "inactive", null);
const frames = fc.array(
  fc.record({
    after_ms: fc.constantFrom(1000, 3000, LINK_MS + 1),
    /** `null`: the list of the frame before. */
    links: fc.option(fc.array(state, { minLength: 1, maxLength: 3 })),
    hasOpen: fc.boolean(),
  }),
  { maxLength: 20 },
);

test("a list that stays the same one is as good as the same links looked at each time", () => {
  fc.assert(
    fc.property(frames, (frames) => {
      const memory = new LinkMemory();
      const looked = new LinkMemory();
      let links = linksOf(["active"]);
      let place_ms = 0;
      for (const { after_ms, links: states, hasOpen } of frames) {
        place_ms += after_ms;
        if (states !== null) links = linksOf(states);
        const now = moment(place_ms);
        const expected = links.map(({ link_index, state }) => looked.verdict(link_index, state, now));
        if (memory.isSame(links, now, hasOpen)) expect(expected).not.toContain("on");
        else expect(links.map(({ link_index, state }) => memory.verdict(link_index, state, now))).toEqual(expected);
      }
    }),
  );
});

test("a link that goes down after frames with the same list is one that was active just now", () => {
  const memory = new LinkMemory();
  const up = linksOf(["active"]);
  expect(memory.isSame(up, moment(0), false)).toBe(false);
  expect(memory.verdict(0, "active", moment(0))).toBe("off");
  for (let place_ms = 1000; place_ms <= 60_000; place_ms += 1000) {
    expect(memory.isSame(up, moment(place_ms), false)).toBe(true);
  }
  expect(memory.isSame(linksOf(["inactive"]), moment(61_000), false)).toBe(false);
  expect(memory.verdict(0, "inactive", moment(61_000))).toBe("on");
});

test("more links than are kept track of are unknown", () => {
  expect(new LinkMemory().verdict(64, "active", moment(0))).toBe("unknown");
});
