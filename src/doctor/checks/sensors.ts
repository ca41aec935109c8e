import { Tree } from "../../sources/local/files.ts";
import { findChips } from "../../sources/local/hwmon.ts";
import type { Files } from "../files.ts";
import { absent, type Check, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { count } from "../words.ts";

export const sensorChecks: readonly Check[] = [
  { group: "readers", name: "sensors", run: ({ root }) => [sensors(new Tree(root))] },
  { group: "readers", name: "cpu power", run: (machine) => [cpuPower(machine)] },
];

function sensors(tree: Tree): Verdict {
  const chips = findChips(tree, () => true);
  const count = chips.reduce((n, chip) => n + chip.sensors.length, 0);
  if (count === 0) return absent("no temperatures or fans (hwmon), as in most virtual machines");
  const names = [...new Set(chips.filter((chip) => chip.sensors.length > 0).map(({ name }) => name))];
  return ok(`${count} of ${names.length <= 6 ? names.join(", ") : `${names.slice(0, 5).join(", ")}, …`}`);
}

const POWERCAP = "/sys/class/powercap";

/** RAPL's counters: which packages there are, and whether their energy may be read. */
function cpuPower({ files }: Machine): Verdict {
  const packages = files.names(POWERCAP).filter((name) => /^intel-rapl:\d+$/.test(name));
  if (packages.length === 0) return absent("no energy counters (RAPL), as in most virtual machines");
  const codes = packages.map((name) => codeOfRead(files, `${POWERCAP}/${name}/energy_uj`));
  if (codes.every((code) => code === null)) return ok(`energy counters of ${count(packages.length, "domain")} (RAPL)`);
  if (codes.includes("EACCES") || codes.includes("EPERM")) {
    return problem(
      "the energy counters (RAPL) may be read by root only",
      "run as root, or let a group read them (who may, can watch other programs' work by it: PLATYPUS): " +
        `chgrp GROUP ${POWERCAP}/*/energy_uj && chmod g+r ${POWERCAP}/*/energy_uj`,
    );
  }
  if (codes.includes("ENOENT")) {
    return problem(
      "the container runtime hides the energy counters (RAPL)",
      "docker run --security-opt systempaths=unconfined, or mount the machine's /sys and give --host-root",
    );
  }
  return problem(`the energy counters (RAPL) cannot be read: ${codes.find((code) => code !== null)}`);
}

function codeOfRead(files: Files, path: string): string | null {
  const found = files.read(path);
  return "code" in found ? found.code : null;
}
