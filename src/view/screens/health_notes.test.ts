import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../../test/frames.ts";
import type { Gpu } from "../../frame/schema.ts";
import type { Note } from "../gpus.ts";
import { chosenZone } from "../zone.ts";
import { fitNotes, healthNotes } from "./health_notes.ts";

const [first] = nvidiaFrame.gpus ?? [];
if (first === undefined) throw new Error("no GPU");
const gpu: Gpu = { ...first, lost: null };

const T_MS = Date.UTC(2026, 3, 18, 14, 40);
const zone = chosenZone("viewer", { viewer: "UTC", recorder: null });

const notes = (changes: Partial<Gpu>, news: Note | null = null) =>
  healthNotes({ ...gpu, ...changes }, news, { t_ms: T_MS, zone });
const texts = (of: readonly Note[]) => of.map(({ text }) => text);
const lost = (reason: string, since = "2026-04-18T14:31:58.123Z") => ({ lost: { reason, since } });

test("a lost card: why and since when, the number of an XID first", () => {
  expect(texts(notes(lost("GPU is lost")))).toEqual(["GPU is lost, since 14:31:58"]);
  expect(texts(notes(lost("GPU is lost", "2026-04-16T14:31:58Z")))).toEqual(["GPU is lost, since 04-16 14:31:58"]);
  expect(texts(notes(lost("XID 79: fell off the bus")))).toEqual(["XID 79 14:31:58, fell off the bus"]);
  expect(texts(notes(lost("", "")))).toEqual(["lost"]);
});

test("the XID by which a card was lost is not told twice; other news is", () => {
  const news = (text: string): Note => ({ severity: "critical", text });
  const card = lost("XID 79: fell off the bus");
  expect(notes(card, news("XID 79: fell off the bus 14:31:58"))).toHaveLength(1);
  expect(texts(notes(card, news("a GPU was reset 14:32:00")))[1]).toBe("a GPU was reset 14:32:00");
});

test("news stands before what is harmless, and behind what is critical", () => {
  const news: Note = { severity: "warning", text: "XID 31 14:39:00" };
  const health = (throttle: string[]) => ({ health: { throttle } });
  expect(texts(notes(health(["power"]), news))).toEqual(["XID 31 14:39:00", "at power limit"]);
  expect(texts(notes(health(["thermal"]), news))).toEqual(["throttled: heat", "XID 31 14:39:00"]);
});

test("where not all words have room, few are said, and how many there are more", () => {
  const throttled = notes({
    health: {
      throttle: ["power_brake"],
      ecc: { corrected_volatile: 3, uncorrected_volatile: 0, corrected_aggregate: 3, uncorrected_aggregate: 0 },
    },
  });
  const full = ["throttled: power brake", "ECC 3 corrected"];
  expect(texts(fitNotes(throttled, full.join(", ").length))).toEqual(full);
  expect(texts(fitNotes(throttled, full.join(", ").length - 1))).toEqual(["throttled: power brake", "ECC 3 corr."]);
  expect(texts(fitNotes(throttled, 20))).toEqual(["power brake", "ECC 3"]);
  expect(texts(fitNotes(throttled, 11))).toEqual(["brake", "+1"]);
  expect(texts(fitNotes(throttled, 7))).toEqual(["brake"]);
  expect(texts(fitNotes(notes(lost("GPU is lost")), 20))).toEqual(["GPU is lost"]);
  const xid = notes(lost("XID 79: fell off the bus"));
  expect([40, 20, 10].map((width) => texts(fitNotes(xid, width)))).toEqual([
    ["XID 79 14:31:58, fell off the bus"],
    ["XID 79 14:31:58"],
    ["XID 79"],
  ]);
});
