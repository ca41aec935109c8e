import { CgroupReader } from "../../sources/local/cgroup.ts";
import { readMachineNames } from "../../sources/local/dmi.ts";
import { Tree } from "../../sources/local/files.ts";
import { mountinfoFile, parseMountinfo } from "../../sources/local/mountinfo.ts";
import { absent, type Check, note, ok, type Verdict } from "../finding.ts";
import { containerOf, isInFirstPidNamespace, isWsl, type Machine } from "../machine.ts";
import { count, gibibytes } from "../words.ts";

export const surroundingsChecks: readonly Check[] = [
  { group: "machine", name: "model", run: (machine) => [model(machine)] },
  { group: "machine", name: "container", run: (machine) => [container(machine)] },
  { group: "machine", name: "limits", run: ({ root }) => limits(new Tree(root)) },
];

function model(machine: Machine): Verdict {
  const tree = new Tree(machine.root);
  const { Vendor, "Product Name": product } = readMachineNames(tree);
  const name = [Vendor, product].filter((part) => part !== undefined).join(" ");
  if (isWsl(machine)) return ok("Windows Subsystem for Linux: GPUs are those that Windows hands on");
  if (/jetson|tegra/i.test(product ?? "")) return ok(`${name}: the GPU uses the machine's memory`);
  return name === "" ? absent("neither firmware (DMI) nor a device tree names it") : ok(name);
}

function container(machine: Machine): Verdict {
  const { root, own } = machine;
  const kind = containerOf(machine);
  if (root !== "") return ok(`${kind ?? "none"}; --host-root: the machine is read from ${root}`);
  if (kind === null) return ok("none: this is the machine itself");
  if (isInFirstPidNamespace(own) === true) return ok(`${kind} that sees the processes of the whole machine`);
  return note(
    `${kind}: only its own processes can be seen`,
    "docker run --pid=host (Kubernetes: hostPID: true), or mount the machine's / and give --host-root",
  );
}

function limits(tree: Tree): Verdict[] {
  const version = versionOfCgroups(tree);
  if (version === null) return [absent("no control groups are mounted")];
  const found = new CgroupReader(tree).read(0);
  const cores = found?.cpu_limit_cores ?? null;
  const memoryBytes = found?.memory_limit_bytes ?? null;
  const parts = [
    cores === null ? null : count(cores, "core"),
    memoryBytes === null ? null : `${gibibytes(memoryBytes)} of memory`,
  ].filter((part) => part !== null);
  return [ok(`control groups ${version}; ${parts.length > 0 ? `limited to ${parts.join(" and ")}` : "no limit"}`)];
}

function versionOfCgroups(tree: Tree): string | null {
  const types = new Set(parseMountinfo(tree.text(mountinfoFile(tree)) ?? "").map(({ type }) => type));
  if (types.has("cgroup")) return types.has("cgroup2") ? "v1 and v2" : "v1";
  return types.has("cgroup2") ? "v2" : null;
}
