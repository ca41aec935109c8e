import { expect, test } from "bun:test";
import fc from "fast-check";
import type { NvidiaCard, NvidiaReading } from "../card.ts";
import { applyChanges, Changes } from "./messages.ts";
import { unknownRow } from "./row.ts";

const number = fc.option(fc.integer({ min: 0, max: 3 }));

/** What a reading may bring up to date of a card. */
const news = fc.record({
  temperature: number,
  lost: fc.option(fc.constant("GPU is lost")),
  health: fc.option(fc.record({ memory_temperature: number, replays: number, sm: number, hasClocks: fc.boolean() })),
  isStranger: fc.boolean(),
});

type News = typeof news extends fc.Arbitrary<infer T> ? T : never;

const pcieWith = (replays: number | null) => ({
  ...{ generation: 5, generation_max: 5, width: 16, width_max: 16 },
  ...{ replays, rx_bytes_per_second: null, tx_bytes_per_second: null },
});
const clocksWith = (sm: number | null) => ({
  ...{ sm, sm_max: 1980, memory: null, memory_max: null, video: null, video_max: null },
});

/** Into the same objects, as the reader does, where there are such. */
function bring(row: NvidiaCard["row"], { temperature, health }: News): void {
  const kept = row.health;
  const now = health && {
    memory_temperature: health.memory_temperature,
    pcie: kept?.pcie ? Object.assign(kept.pcie, pcieWith(health.replays)) : pcieWith(health.replays),
    clocks: health.hasClocks ? clocksWith(health.sm) : null,
  };
  Object.assign(row, { temperature, health: kept && now ? Object.assign(kept, now) : now });
}

const reading = (cards: NvidiaCard[]): NvidiaReading => ({ cards, processes: [], xids: [], errors: [] });

test("who applies the changes has the cards as they were read, also where a reading changes the same objects", () => {
  fc.assert(
    fc.property(fc.array(fc.array(news, { maxLength: 3 }), { maxLength: 8 }), (readings) => {
      const changes = new Changes();
      const rows: NvidiaCard["row"][] = [];
      let strangers = 0;
      let whole: readonly NvidiaCard[] = [];
      for (const ofCards of readings) {
        const cards = ofCards.map((one, n): NvidiaCard => {
          const before = one.isStranger ? unknownRow(`GPU-stranger-${++strangers}`, n) : rows[n];
          const row = before ?? unknownRow(`GPU-${n}`, n);
          rows[n] = row;
          bring(row, one);
          return { pci: `0000:0${n}:00.0`, lost: one.lost, row };
        });
        const message = JSON.parse(JSON.stringify(changes.of(reading(cards))));
        whole = applyChanges(whole, message.cards);
        expect(whole).toEqual(structuredClone(cards));
      }
    }),
  );
});

test("what was said is not said again", () => {
  const changes = new Changes();
  const row = unknownRow("GPU-0", 0);
  const card = { pci: "0000:01:00.0", lost: null, row };
  expect(changes.of(reading([card])).cards).toEqual([card]);
  Object.assign(row, { temperature: 60 });
  expect(changes.of(reading([card])).cards).toEqual([{ was: 0, row: { temperature: 60 } }]);
  expect(changes.of(reading([card])).cards).toEqual([{ was: 0 }]);
});
