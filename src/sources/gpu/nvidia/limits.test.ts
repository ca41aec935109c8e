import { expect, test } from "bun:test";
import { callLimit_ms, limitsIn } from "./limits.ts";

const CALL = "nvmlDeviceGetTemperature";

test.each([
  [3000, 2000],
  [5000, 2000],
  [10_000, 4000],
  [60_000, 5000],
])("who waits %d ms for a frame gets one: a call is hung after %d ms", (wait_ms, limit_ms) => {
  const limits = limitsIn({ wait_ms, isAwaited: true });
  expect([callLimit_ms(CALL, true, limits), callLimit_ms(CALL, false, limits)]).toEqual([limit_ms, limit_ms]);
});

test.each([
  [80, 5000, 2000],
  [4800, 5000, 4800],
])("in one of many cycles of %d ms the first calls have %d ms, those later on %d ms", (wait_ms, first_ms, later_ms) => {
  const limits = limitsIn({ wait_ms });
  expect([callLimit_ms(CALL, true, limits), callLimit_ms(CALL, false, limits)]).toEqual([first_ms, later_ms]);
});

test("a call that starts a card has its time, whoever waits", () => {
  const limits = limitsIn({ wait_ms: 5000, isAwaited: true });
  expect(callLimit_ms("nvmlDeviceGetHandleByIndex_v2", true, limits)).toBe(30_000);
});
