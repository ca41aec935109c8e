import { expect, test } from "bun:test";
import { fuzz } from "./fuzz.ts";

const CASES = 400;
const MIB = 1 << 20;

/** Another seed each time: what fails names it, and `fuzz.ts --seed S --only N` repeats it. */
const seed = Date.now() % 1_000_000;

test(`mutated recordings, seed ${seed}: no crash, no hang, bounded memory`, async () => {
  const { outcomes, rssBytes } = await fuzz({ seed, from: 0, count: CASES });
  expect(outcomes.drawn + outcomes.refused).toBe(CASES);
  expect(outcomes.drawn).toBeGreaterThan(CASES / 2);
  expect(rssBytes.most - rssBytes.first).toBeLessThan(500 * MIB);
}, 120_000);
