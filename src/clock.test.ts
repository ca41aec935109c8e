import { expect, test } from "bun:test";
import { localTime, machineClock } from "./clock.ts";

const unaborted = () => new AbortController().signal;

test("waits until the moment, and not a bit less", async () => {
  for (const wait_ms of [0, 0.3, 1, 2.7, 12]) {
    const until_ms = machineClock.monotonic() + wait_ms;
    await machineClock.until(until_ms, unaborted());
    expect(machineClock.monotonic()).toBeGreaterThanOrEqual(until_ms);
  }
});

test("a moment that has passed is not waited for", async () => {
  await machineClock.until(machineClock.monotonic() - 1e9, unaborted());
  await machineClock.until(Number.NEGATIVE_INFINITY, unaborted());
});

test("an abort ends a wait, also one longer than a timer can hold, or without end", async () => {
  for (const until_ms of [1e15, Number.POSITIVE_INFINITY]) {
    const stop = new AbortController();
    const waiting = machineClock.until(machineClock.monotonic() + until_ms, stop.signal);
    let isOver = false;
    waiting.then(() => {
      isOver = true;
    });
    await Bun.sleep(5);
    expect(isOver).toBe(false);
    stop.abort();
    await waiting;
  }
  await machineClock.until(Number.POSITIVE_INFINITY, AbortSignal.abort());
});

test("the boot-time clock is not behind the one that stands still in a sleep", async () => {
  const [monotonic, boottime] = [machineClock.monotonic(), machineClock.boottime()];
  await machineClock.until(monotonic + 20, unaborted());
  expect(machineClock.boottime() - boottime).toBeGreaterThanOrEqual(machineClock.monotonic() - monotonic - 5);
});

test("the local time of a device", () => {
  const t_ms = new Date(2026, 0, 2, 3, 4, 5, 999).getTime();
  expect(localTime(t_ms)).toBe("2026-01-02 03:04:05");
});
