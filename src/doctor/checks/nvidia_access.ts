import { LIBRARY_PATHS } from "../../sources/gpu/nvidia/nvml/library.ts";
import { absent, type Check, note, ok, problem, type Verdict } from "../finding.ts";
import { containerOf, isWsl, type Machine } from "../machine.ts";
import { areOfWindows, driverVersion, hasNvidia, isDriverThere } from "./nvidia_driver.ts";
import { GIVE_TO_CONTAINER, libraryFix, versionFix } from "./nvidia_errors.ts";

export const nvidiaAccessChecks: readonly Check[] = [
  { group: "nvidia", name: "container", run: visibleDevices },
  { group: "nvidia", name: "devices", run: deviceNodes },
  { group: "nvidia", name: "library", run: library },
  { group: "nvidia", name: "nvidia-smi", run: smi },
];

/** The variable by which NVIDIA's container runtime is told which cards to hand in. */
function visibleDevices(machine: Machine): Verdict[] {
  if (containerOf(machine) === null || !hasNvidia(machine)) return [];
  const value = machine.env.NVIDIA_VISIBLE_DEVICES;
  if (value === undefined) return [];
  // Where devices come by CDI it is "void" too.
  if (["", "void", "none"].includes(value) && !machine.own.exists("/dev/nvidiactl")) {
    return [problem(`NVIDIA_VISIBLE_DEVICES is "${value}": this container is given no card`, GIVE_TO_CONTAINER)];
  }
  return [ok(`NVIDIA_VISIBLE_DEVICES is "${value}"`)];
}

function deviceNodes(machine: Machine): Verdict[] {
  if (!isDriverThere(machine) || isWsl(machine)) return [];
  const control = access(machine, "/dev/nvidiactl");
  if (control !== null) return [control];
  const wanted = cardNodes(machine);
  const there = wanted.filter((path) => machine.own.exists(path));
  const denied = there.map((path) => access(machine, path)).filter((verdict) => verdict !== null);
  if (denied.length > 0) return denied;
  if (wanted.length === 0) return [ok("/dev/nvidiactl can be opened")];
  if (there.length === wanted.length) return [ok(`/dev/nvidiactl and ${there.length} of cards can be opened`)];
  if (containerOf(machine) !== null && there.length > 0) {
    return [note(`${there.length} of the machine's ${wanted.length} cards are given to this container`)];
  }
  const missing = wanted.filter((path) => !there.includes(path));
  return [problem(`${missing.join(", ")} missing`, missingFix(machine))];
}

/** By the driver's list of cards and their minor numbers; those that are there, where it is not to be seen. */
function cardNodes(machine: Machine): string[] {
  const { files, own } = machine;
  if (driverVersion(machine) === null) {
    const nodes = own.names("/dev").filter((name) => /^nvidia\d+$/.test(name));
    return nodes.map((name) => `/dev/${name}`);
  }
  const folder = "/proc/driver/nvidia/gpus";
  const source = files.names(folder).length > 0 ? files : own;
  return source.names(folder).flatMap((address) => {
    const [, minor] = /^Device Minor:\s*(\d+)/m.exec(source.text(`${folder}/${address}/information`) ?? "") ?? [];
    return minor === undefined ? [] : [`/dev/nvidia${minor}`];
  });
}

const missingFix = (machine: Machine): string =>
  containerOf(machine) === null
    ? "nvidia-modprobe -u -c=0 makes them (nvidia-smi, run by root, as well)"
    : GIVE_TO_CONTAINER;

function access(machine: Machine, path: string): Verdict | null {
  const code = machine.own.denied(path, "rw");
  switch (code) {
    case null:
      return null;
    case "ENOENT":
      return problem(`${path} is missing, though the driver is loaded`, missingFix(machine));
    case "EPERM":
      return problem(
        `the control group of this ${containerOf(machine) === null ? "process" : "container"} forbids ${path}`,
        "start the container anew; so that a systemctl daemon-reload does not do it again, name the devices: " +
          "docker run --device=/dev/nvidiactl --device=/dev/nvidia0 …",
      );
    case "EACCES":
      return problem(
        `${path} may not be opened by user ${machine.uid}`,
        "usermod -aG video USER (the group that owns it: ls -l), and log in anew",
      );
    default:
      return problem(`${path} cannot be opened: ${code}`);
  }
}

/** Whether there is something that asks the driver: its library, or nvidia-smi, which brings it. */
export const canAskDriver = (machine: Machine): boolean =>
  Boolean(machine.env.ALL_SMI_NVML) || findLibrary(machine) !== null || machine.nvidiaSmi !== null;

const LIBRARY = "libnvidia-ml.so";
/** Where the library is and which version it has, by its file's name; whether it loads the readings show. */
function library(machine: Machine): Verdict[] {
  if (!hasNvidia(machine)) return [];
  if (machine.env.ALL_SMI_NVML) return namedLibrary(machine, machine.env.ALL_SMI_NVML);
  const found = findLibrary(machine);
  if (found === null) return noLibrary(machine);
  const driver = driverVersion(machine);
  if (driver === null || found.version === null || found.version === driver) return [ok(found.path)];
  return [
    problem(
      `the library (${found.path}) is of ${found.version}, the driver of ${driver}: NVML refuses to work`,
      versionFix(machine),
    ),
  ];
}

/** Without NVIDIA's driver there need be none: Windows may have another vendor's cards only. */
function noLibrary(machine: Machine): Verdict[] {
  if (!isDriverThere(machine) && !areOfWindows(machine)) return [];
  const says = `${LIBRARY}.1 is in none of the usual folders`;
  const fix = libraryFix(machine);
  if (machine.nvidiaSmi !== null) return [note(`${says}: nvidia-smi is asked, which tells less`, fix)];
  return [isDriverThere(machine) ? problem(says, fix) : note(says, WINDOWS_FIX)];
}

const WINDOWS_FIX = "where Windows has a card of NVIDIA's: its driver there, brought up to date, brings the library";

/** Why the library cannot be read that the user names; `null`: it can, or it is a name for the loader to find. */
export function unreadableNamed({ env, own }: Machine): string | null {
  const named = env.ALL_SMI_NVML ?? "";
  return named.includes("/") ? own.denied(named, "r") : null;
}

/** Why one that is none cannot be loaded the readings say. */
function namedLibrary(machine: Machine, path: string): Verdict[] {
  const { own, nvidiaSmi } = machine;
  const code = unreadableNamed(machine);
  if (code !== null) {
    const instead = nvidiaSmi === null ? "" : "; nvidia-smi is asked instead";
    const says = `ALL_SMI_NVML names ${path}, which cannot be read: ${code}${instead}`;
    return [problem(says, "name an existing library, or unset it")];
  }
  return own.text(path)?.includes("nvmlInit_v2") ? [ok(`${path}, named by ALL_SMI_NVML`)] : [];
}

interface Library {
  readonly path: string;
  /** `libnvidia-ml.so.1` is a link to the file that has the version in its name. */
  readonly version: string | null;
}

export function findLibrary({ own, env }: Machine): Library | null {
  // The loader's cache: paths, with bytes that are none between them.
  const [, cached] =
    /(?<![ -~])[ -.0-~]{0,64}(\/[ -~]{0,4096}?\/libnvidia-ml\.so\.1)(?![\d.])/.exec(
      own.text("/etc/ld.so.cache") ?? "",
    ) ?? [];
  const named = (env.LD_LIBRARY_PATH ?? "").split(":").map((folder) => `${folder}/${LIBRARY}.1`);
  const path = [...named, ...(cached ? [cached] : []), ...LIBRARY_PATHS].find(
    (candidate) => candidate.startsWith("/") && own.exists(candidate),
  );
  if (path === undefined) return null;
  const [, version] = /\.so\.(\d{3,4}(?:\.\d+)+)$/.exec(own.link(path) ?? "") ?? [];
  return { path, version: version ?? null };
}

function smi(machine: Machine): Verdict[] {
  if (!hasNvidia(machine)) return [];
  if (machine.nvidiaSmi === null) return [absent("not on PATH: needed only where the library cannot be loaded")];
  return [ok(`${machine.nvidiaSmi}, for where the library cannot be loaded`)];
}
