import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { drawScreens, SCREEN_NAMES } from "../scripts/screens.ts";

/** After a change that is meant to show there: `npx bun scripts/screens.ts`, then look at the pictures. */
const folder = join(import.meta.dir, "../docs/screens");
/** The one that is drawn soonest stands for all. */
const CHECKED = "hosts";

/** What a picture may weigh in a clone, in bytes. */
const MOST_BYTES = 80_000;

test("docs/screens has every screen, and nothing else", () => {
  const files = readdirSync(folder);
  expect([...new Set(files.map((file) => file.split("-")[0]))].sort()).toEqual([...SCREEN_NAMES].sort());
  expect(files.filter((file) => readFileSync(join(folder, file)).length > MOST_BYTES)).toEqual([]);
});

test("docs/screens is what a recording looks like", async () => {
  const drawn = await drawScreens([CHECKED]);
  const there = readdirSync(folder).filter((file) => file.startsWith(`${CHECKED}-`));
  expect([...drawn.keys()].sort()).toEqual(there.sort());
  for (const [name, content] of drawn) expect(content).toBe(readFileSync(join(folder, name), "utf8"));
}, 30_000);
