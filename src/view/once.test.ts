import { expect, spyOn, test } from "bun:test";
import { MemoryCursor } from "../../test/memory_cursor.ts";
import { drawOnce } from "./once.ts";
import { makeTheme } from "./theme.ts";

test("what is filled in behind is waited for a second at most, all of it together", async () => {
  const frames = [0, 1000].map((ms, seq) => ({
    ...{ t_ms: Date.UTC(2026, 3, 18, 12) + ms, seq, elapsed_ms: ms, source: "local" as const, hostname: "a" },
    errors: [],
  }));
  const cursor = new MemoryCursor(frames);
  cursor.analysed = 0.5;
  const history = cursor.history.bind(cursor);
  cursor.history = (length) => ({ ...history(length), series: history(length).series, isComplete: false });
  const waits: number[] = [];
  const setTimer = spyOn(globalThis, "setTimeout").mockImplementation(((done: () => void, ms: number) => {
    waits.push(ms);
    queueMicrotask(done);
    return 0;
  }) as never);
  try {
    const zones = { viewer: "UTC", recorder: null };
    const drawn = await drawOnce({
      ...{ cursor, isLive: false, interval_ms: 1000, zones, start: null, speed: 1, isLoop: false },
      ...{ theme: makeTheme("none", "dark"), width: 80, height: 24 },
    });
    expect(drawn.width).toBe(80);
  } finally {
    setTimer.mockRestore();
  }
  // The first wait took no time here, so that its whole second was left.
  expect(waits.length).toBe(2);
  for (const ms of waits) expect(ms).toBeLessThanOrEqual(1000);
});
