import { expect, test } from "bun:test";
import { worstXid, xidEvent, xidSeverity, xidText } from "./xid_texts.ts";

test("an XID has words where it is known, and its number in any case", () => {
  expect(xidText(79)).toBe("XID 79: GPU has fallen off the bus");
  expect(xidText(4711)).toBe("XID 4711");
  expect(xidText(null)).toBe("XID: which one the driver does not say");
});

test("what needs a reset is critical, an application's fault a warning, a record is for information", () => {
  for (const code of [48, 62, 64, 74, 79, 95, 119, 120]) expect(xidSeverity(code)).toBe("critical");
  for (const code of [13, 31, 43, 4711, null]) expect(xidSeverity(code)).toBe("warning");
  for (const code of [63, 92]) expect(xidSeverity(code)).toBe("info");
});

test("the worst of several is the reason", () => {
  expect(worstXid([45, 31, 79, 48])).toBe(79);
  expect(worstXid([63])).toBe(63);
  expect(worstXid([])).toBeNull();
});

test("as an event it has its own time", () => {
  expect(xidEvent(31, Date.UTC(2026, 3, 18, 12), "h", "GPU-1")).toEqual({
    ...{ kind: "xid", severity: "warning", t: "2026-04-18T12:00:00.000Z", host: "h", device: "GPU-1" },
    text: "XID 31: GPU memory page fault",
  });
});
