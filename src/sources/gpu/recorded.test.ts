import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { openGpus } from "../../../test/fixtures/gpus/open.ts";
import { readTwice, throughLine, vendorOf } from "../../../test/fixtures/gpus/read.ts";

/**
 * Whole readings of recorded machines against files in test/golden/gpus/. After a change that is meant to show there:
 * `UPDATE_GOLDEN=1 npx bun test` with this file, then read the diff.
 */

const project = `${import.meta.dirname}/../../..`;
const machines = readdirSync(`${project}/test/fixtures/gpus`).filter((name) => /^(amd|intel|tegra)-/.test(name));

test("the machines are there", () => {
  expect(machines.length).toBeGreaterThanOrEqual(9);
});

for (const name of machines) {
  test(name, async () => {
    using machine = openGpus(name);
    const readings = await readTwice(machine, vendorOf(name));
    const path = `${project}/test/golden/gpus/${name}.json`;
    const text = `${JSON.stringify(readings, null, 1)}\n`;
    mkdirSync(dirname(path), { recursive: true });
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
    expect(text).toBe(readFileSync(path, "utf8"));
    for (const reading of readings) expect(throughLine(reading)).toEqual([...reading.gpus]);
  });
}
