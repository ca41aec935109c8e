import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { openSources } from "../../src/cli/sources.ts";
import type { Source } from "../../src/sources/source.ts";
import { openGpus } from "../fixtures/gpus/open.ts";
import { patientCycleAt } from "../fixtures/machines/cycle.ts";
import { type Machine, type MachineName, openMachine } from "../fixtures/machines/make.ts";
import { ALL } from "../mock.ts";
import type { Chance } from "./chance.ts";
import type { Fuzzed } from "./kind.ts";
import { checkReading } from "./sound.ts";
import { mutatedText } from "./text_mutations.ts";

/** The proc and sys trees of recorded machines, of which some files are wrong, through every reader of this machine. */

const MOST_BYTES = 200_000;
const MOST_INJURIES = 6;
const MACHINES: readonly MachineName[] = ["laptop-1370p", "container", "grace-hopper"];
const GPUS = ["amd-mi300x", "amd-rx6900xt", "intel-arc-a770", "intel-arc-b580", "tegra-agx-orin"];

interface Tree {
  readonly machine: Machine;
  readonly files: readonly string[];
  /** The files that are worth most are injured as often as all the rest. */
  readonly hot: readonly string[];
}

export const openTrees = async (): Promise<Fuzzed> => {
  const trees = [...MACHINES.map(openMachine), ...GPUS.map(openGpus)].map(treeOf);
  return {
    runCase: (chance) => readInjured(chance.pick(trees), chance),
    most_ms: 2000,
    [Symbol.dispose]: () => {
      for (const { machine } of trees) machine[Symbol.dispose]();
    },
  };
};

function treeOf(machine: Machine): Tree {
  machine.write("/proc/1/stat", "1 (in it) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 1 1 1 1\n");
  machine.write("/proc/1/cmdline", "/sbin/init\0--token=secret\0");
  const files = filesBelow(machine.root, "").sort();
  return { machine, files, hot: files.filter((file) => /^\/(proc|etc)|hwmon|powercap|supply|cgroup|drm/.test(file)) };
}

/** Without what links lead to, which would be without end. */
function filesBelow(root: string, folder: string): string[] {
  const entries = readdirSync(root + folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return filesBelow(root, `${folder}/${entry.name}`);
    return entry.isFile() ? [`${folder}/${entry.name}`] : [];
  });
}

async function readInjured({ machine, files, hot }: Tree, chance: Chance): Promise<string> {
  const { sources } = await openSources({
    ...{ source: "local", include: [...ALL], mock: "1x8", seed: 1, processes: 100, command: "masked" },
    hostRoot: machine.root,
  });
  const injured = new Map<string, Buffer>();
  try {
    if (chance.oneIn(2)) await readAll(sources, 0);
    for (let n = chance.below(MOST_INJURIES); n >= 0; n--) {
      const file = chance.pick(chance.oneIn(2) && hot.length > 0 ? hot : files);
      if (injured.has(file)) continue;
      const whole = readFileSync(machine.root + file);
      injured.set(file, whole);
      injure(machine, file, whole, chance);
    }
    await readAll(sources, 3000);
    await readAll(sources, 400_000);
  } finally {
    for (const source of sources) source.close?.();
    for (const [file, whole] of injured) {
      rmSync(machine.root + file, { recursive: true, force: true });
      writeFileSync(machine.root + file, whole);
    }
  }
  return "read";
}

function injure(machine: Machine, file: string, whole: Buffer, chance: Chance): void {
  const path = machine.root + file;
  if (!chance.oneIn(5)) writeFileSync(path, mutatedText([whole], MOST_BYTES, chance));
  else {
    rmSync(path);
    if (chance.oneIn(2)) mkdirSync(path);
  }
}

async function readAll(sources: readonly Source[], at_ms: number): Promise<void> {
  for (const source of sources) checkReading(await source.read(patientCycleAt(at_ms)));
}
