import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { openGpus } from "../../../test/fixtures/gpus/open.ts";
import { GpuReader, type GpuReading, throughLine, vendorOf } from "../../../test/fixtures/gpus/read.ts";
import type { Machine } from "../../../test/fixtures/machines/make.ts";
import { cleanReading } from "../../frame/clean_reading.ts";

const MACHINES = [
  ...["amd-mi300x", "amd-mi250x", "amd-rx6900xt", "amd-rx7900xt", "amd-radeon-780m"],
  ...["intel-arc-a770", "intel-arc-b580", "intel-iris-xe", "tegra-agx-orin"],
];

/** What can happen to a file; reading the memory of this program from its start gives EIO. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  missing: (path) => rmSync(path),
  empty: (path) => writeFileSync(path, ""),
  garbage: (path) => writeFileSync(path, "\u0000x-12 §$ %,\n: 99999999999999999999\n"),
  "a number that cannot be": (path) => writeFileSync(path, "-7000000000000000000000\n"),
  "a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  "an error of the device": (path) => {
    rmSync(path);
    symlinkSync("/proc/self/mem", path);
  },
};

/** Without what links lead to, which would be without end. */
function files({ root }: Pick<Machine, "root">, folder = ""): string[] {
  const entries = readdirSync(root + folder, { withFileTypes: true });
  const own = entries.filter((entry) => entry.isFile()).map(({ name }) => `${folder}/${name}`);
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => files({ root }, `${folder}/${name}`));
  return [...own, ...below].sort();
}

function restore({ root }: Machine, file: string, bytes: Buffer): void {
  rmSync(root + file, { recursive: true, force: true });
  writeFileSync(root + file, bytes);
}

const read = (machine: Machine, name: string): Promise<GpuReading> => new GpuReader(machine, vendorOf(name)).read(0);

/** Every number of a reading by its place in it. */
function numbersIn(value: unknown, path = ""): Map<string, number> {
  if (typeof value === "number") return new Map([[path, value]]);
  if (value === null || typeof value !== "object") return new Map();
  return new Map(Object.entries(value).flatMap(([key, one]) => [...numbersIn(one, `${path}.${key}`)]));
}

/** Of a reading, each card under its address. */
const numbersOf = ({ gpus, uses }: GpuReading): Map<string, number> =>
  numbersIn({ uses, ...Object.fromEntries(gpus.map((gpu) => [gpu.detail.pci_address, gpu])) });

/**
 * Pages that are out of use: a card that has none says so by an empty file. Errors: what has no file is not watched. The
 * indexes are ours. A client of several processes is another's where the first one cannot be read.
 */
const MAY_BE_0 =
  /\.(retired_pages|retired_pages_pending|(un)?corrected_volatile|index|device_id)$|^\.uses\.(801|2399)\./;

/** What is known of a card of Intel's by its clients only: where their files are gone, it has none. */
const BY_CLIENTS = /\.(utilization|used_memory)$/;

const hasNoClients = ({ gpus, uses }: GpuReading): boolean =>
  Object.keys(uses).length === 0 && gpus.every(({ detail }) => detail.Brand === "Intel");

/** Nothing is made up: what is 0 is so in the whole machine, too, and every number can be written and read. */
function expectHonest(damaged: GpuReading, whole: GpuReading): void {
  const known = numbersOf(whole);
  const isUnused = hasNoClients(damaged);
  const mayBe0 = (path: string): boolean => MAY_BE_0.test(path) || (isUnused && BY_CLIENTS.test(path));
  const madeUp = [...numbersOf(damaged)].filter(
    ([path, value]) => value === 0 && known.get(path) !== 0 && !mayBe0(path),
  );
  expect(madeUp).toEqual([]);
  // As the sampler does before a frame is written.
  cleanReading({ gpus: [...damaged.gpus] });
  expect(throughLine(damaged)).toEqual([...damaged.gpus]);
  expect(damaged.errors.length).toBeLessThanOrEqual(whole.gpus.length + 1);
}

for (const name of MACHINES) {
  test(`${name}: each file in turn`, async () => {
    using machine = openGpus(name);
    const whole = await read(machine, name);
    for (const file of files(machine)) {
      const bytes = readFileSync(machine.root + file);
      for (const [what, inflict] of Object.entries(DAMAGES)) {
        inflict(machine.root + file);
        const damaged = await read(machine, name);
        expectHonest(damaged, whole);
        expect([file, what, damaged.gpus.length]).toEqual([file, what, whole.gpus.length]);
        restore(machine, file, bytes);
      }
    }
    expect(await read(machine, name)).toEqual(whole);
  }, 120_000);
}

/** In mid-run, or from the start on. */
async function readWith(name: string, machine: Machine, isFromTheStart: boolean, inflictAll: () => void) {
  const reader = new GpuReader(machine, vendorOf(name));
  if (!isFromTheStart) await reader.read(0);
  inflictAll();
  return [await reader.read(20_000), await reader.read(40_000)];
}

for (const name of ["amd-mi250x", "intel-arc-b580"]) {
  test(`${name}: several at once, also in mid-run`, async () => {
    using machine = openGpus(name);
    const all = files(machine);
    const contents = new Map(all.map((file) => [file, readFileSync(machine.root + file)]));
    const [, whole] = await readWith(name, machine, false, () => {});
    if (whole === undefined) throw new Error("not read");
    const injuries = fc.array(fc.tuple(fc.constantFrom(...all), fc.constantFrom(...Object.values(DAMAGES))), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(injuries, fc.boolean(), async (chosen, isFromTheStart) => {
        const injured = new Map(chosen);
        try {
          const readings = await readWith(name, machine, isFromTheStart, () => {
            for (const [file, inflict] of injured) inflict(machine.root + file);
          });
          for (const reading of readings) expectHonest(reading, whole);
        } finally {
          for (const file of injured.keys()) restore(machine, file, contents.get(file) ?? Buffer.alloc(0));
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
}
