import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { cycleAt, HOST } from "../../../test/fixtures/machines/cycle.ts";
import { type Machine, type MachineName, openMachine } from "../../../test/fixtures/machines/make.ts";
import { cleanReading } from "../../frame/clean_reading.ts";
import { decodeLine } from "../../frame/decode.ts";
import { frameLine } from "../../frame/encode.ts";
import type { Frame } from "../../frame/frame.ts";
import { chassisSource } from "./chassis.ts";
import { cpuSource } from "./cpu.ts";
import { memorySource } from "./memory.ts";
import { storageSource } from "./storage.ts";

const ask = async () => ({ frsize: 4096, blocks: 10, bfree: 5, bavail: 4 });

const openSources = ({ root }: Machine) => [
  cpuSource({ root, host: HOST, perCore: true }),
  memorySource({ root, host: HOST }),
  chassisSource({ root, host: HOST }),
  storageSource({ root, host: HOST, ask }),
];

type Sources = ReturnType<typeof openSources>;

async function readFrame(sources: Sources, at_ms: number): Promise<Frame> {
  const cycle = cycleAt(at_ms);
  const frame: Frame = { t_ms: cycle.t_ms, seq: 0, elapsed_ms: 0, source: "local", hostname: "h", errors: [] };
  for (const source of sources) {
    const { errors = [], ...sections } = await source.read(cycle);
    expect(errors.length).toBeLessThanOrEqual(1);
    frame.errors.push(...errors);
    Object.assign(frame, sections);
  }
  // As the sampler does before a frame is written.
  cleanReading(frame);
  return frame;
}

/** What a schema's reader takes from the line is what was read: no number is out of its range or of the wrong kind. */
function expectSound(frame: Frame): void {
  const line = decodeLine(frameLine(frame));
  expect(line).toEqual({ kind: "frame", frame } as typeof line);
}

const damage = fc.oneof(
  fc.constant({ how: "gone" as const }),
  fc.constant({ how: "folder" as const }),
  fc.record({ how: fc.constant("cut" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ how: fc.constant("text" as const), text: fc.oneof(fc.string(), fc.stringMatching(/^-?\d{1,30}\n?$/)) }),
  fc.record({
    how: fc.constant("bytes" as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    text: fc.oneof(fc.string(), fc.stringMatching(/^[-\d, ]{1,25}$/)),
  }),
);

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function inflict(machine: Machine, file: string, whole: string, { how, ...rest }: Damage): void {
  const at = "at" in rest ? Math.floor(rest.at * whole.length) : 0;
  const text = "text" in rest ? rest.text : "";
  if (how !== "text" && how !== "cut" && how !== "bytes") machine.write(file, null);
  if (how === "folder") machine.write(`${file}/inside`, "");
  if (how === "text") machine.write(file, text);
  if (how === "cut") machine.write(file, whole.slice(0, at));
  if (how === "bytes") machine.write(file, whole.slice(0, at) + text + whole.slice(at + text.length));
}

for (const name of ["laptop-1370p", "container", "grace-hopper"] satisfies MachineName[]) {
  test(`${name}: whatever happens to its files, reading goes on and lies about nothing`, async () => {
    using machine = openMachine(name);
    const files = readdirSync(machine.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(machine.root.length))
      .sort();
    const contents = new Map(files.map((file) => [file, readFileSync(machine.root + file, "latin1")]));
    // The files that are worth most are tried as often as all the rest.
    const hot = files.filter((file) => file.startsWith("/proc") || /hwmon|powercap|supply|cgroup/.test(file));
    const file = fc.oneof(fc.constantFrom(...files), fc.constantFrom(...hot));
    const injuries = fc.array(fc.tuple(file, damage), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(injuries, fc.boolean(), async (chosen, isFromTheStart) => {
        const sources = openSources(machine);
        if (!isFromTheStart) expectSound(await readFrame(sources, 0));
        const injured = new Map(chosen);
        for (const [path, how] of injured) inflict(machine, path, contents.get(path) ?? "", how);
        try {
          expectSound(await readFrame(sources, 3000));
          expectSound(await readFrame(sources, 400_000));
        } finally {
          for (const source of sources) source.close?.();
          for (const [path, { how }] of injured) {
            if (how === "folder") machine.write(path, null);
            machine.write(path, contents.get(path) ?? "");
          }
        }
      }),
      { numRuns: 60 },
    );
  });
}
