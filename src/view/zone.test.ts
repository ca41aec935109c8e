import { expect, test } from "bun:test";
import { chosenZone } from "./zone.ts";

const t_ms = Date.parse("2026-04-18T05:32:05.900Z");

test("a time in each of the zones", () => {
  const zones = { viewer: "America/New_York", recorder: "Asia/Seoul" };
  expect(chosenZone("viewer", zones).full(t_ms)).toBe("2026-04-18 01:32:05 EDT");
  expect(chosenZone("recorder", zones).full(t_ms)).toBe("2026-04-18 14:32:05 GMT+9");
  expect(chosenZone("utc", zones).full(t_ms)).toBe("2026-04-18 05:32:05 UTC");
  expect(chosenZone("utc", zones).day(t_ms)).toBe("04-18 05:32:05");
});

test("a recorder that does not say, or names no zone", () => {
  expect(chosenZone("recorder", { viewer: "Asia/Seoul", recorder: null }).time(t_ms)).toBe("14:32:05");
  expect(chosenZone("recorder", { viewer: "Asia/Seoul", recorder: "Nowhere/Land" }).time(t_ms)).toBe("05:32:05");
});

test("what is no time", () => {
  expect(chosenZone("utc", { viewer: "UTC", recorder: null }).time(Number.NaN)).toBe("–");
  expect(chosenZone("utc", { viewer: "UTC", recorder: null }).full(9e15)).toBe("–");
});

test("zones as POSIX writes them, of whoever looks on and of the recorder", () => {
  const zones = { viewer: "EST5EDT4,M3.2.0,M11.1.0", recorder: "<+0330>-3:30" };
  expect(chosenZone("viewer", zones).full(t_ms)).toBe("2026-04-18 01:32:05 EDT");
  expect(chosenZone("recorder", zones).full(t_ms)).toBe("2026-04-18 09:02:05 +0330");
  expect(chosenZone("recorder", zones).day(t_ms)).toBe("04-18 09:02:05");
  expect(chosenZone("recorder", zones).time(Number.NaN)).toBe("–");
  expect(chosenZone("recorder", zones).time(8.64e15)).toBe("00:00:00");
});
