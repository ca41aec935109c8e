import { hasDriver } from "../../sources/gpu/nvidia/presence.ts";
import { absent, note, problem, type Verdict } from "../finding.ts";
import { containerOf, type Machine } from "../machine.ts";
import { driverVersion, mustAnswer } from "./nvidia_driver.ts";

/** What to do about what the driver's library says. Commands are for the machine itself unless a container is named. */

export const GIVE_TO_CONTAINER =
  "docker run --gpus all (with the NVIDIA Container Toolkit); Kubernetes: ask for nvidia.com/gpu, or runtimeClassName: nvidia";

export const versionFix = (machine: Machine): string =>
  containerOf(machine) === null
    ? "reboot, or load the driver anew: stop what uses the GPUs, then rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia; modprobe nvidia"
    : "remove the library from the image: the container runtime brings the right one";

export const libraryFix = (machine: Machine): string =>
  containerOf(machine) === null
    ? "install it (Debian: libnvidia-ml1, Ubuntu: libnvidia-compute-NNN), or name it: ALL_SMI_NVML=PATH"
    : "NVIDIA_DRIVER_CAPABILITIES=utility (or all) makes the container runtime bring it; or ALL_SMI_NVML=PATH";

const permissionFix = (machine: Machine): string =>
  containerOf(machine) === null
    ? "run as root, or as a user of the group that owns /dev/nvidia* (ls -l; usermod -aG video USER); in a cgroup of systemd: DeviceAllow=char-nvidia*"
    : `start the container anew with its cards: ${GIVE_TO_CONTAINER}`;

const driverFix = (machine: Machine): string =>
  containerOf(machine) === null ? "modprobe nvidia; where that fails, dmesg | grep NVRM says why" : GIVE_TO_CONTAINER;

type Fix = string | ((machine: Machine) => string);

const LOG = "dmesg | grep -e NVRM -e Xid says more";

/** By a part of the sentence; the first that fits. */
const FIXES: readonly (readonly [RegExp, Fix])[] = [
  [/^ALL_SMI_NVML: /, "let ALL_SMI_NVML name the driver's libnvidia-ml.so.1, or unset it"],
  [/neither its library/, libraryFix],
  [/different versions|driver was updated/, versionFix],
  [/driver is not loaded/, driverFix],
  [/no permission/, permissionFix],
  [/not asked any more/, `${LOG}; a driver of another version may not do it`],
  [/driver hung/, `${LOG}; a process that cannot be killed is there until the machine is started anew`],
  [/library crashed/, "install the driver's library anew: its file may be damaged, or not be of this driver"],
  [/^nvml|^nvidia-smi/, LOG],
];

/** Where there are others, a card that the process may not open may be meant for somebody else. */
const IS_KEPT_BACK = /may not be opened/;

/** What the source says, with what to do about it. */
export function errorVerdict(error: string, machine: Machine, hasAnswering: boolean): Verdict {
  const [, fix = null] = FIXES.find(([pattern]) => pattern.test(error)) ?? [];
  const isNoMatter = hasAnswering ? IS_KEPT_BACK.test(error) : !mustAnswer(machine);
  const verdict = isNoMatter ? note : problem;
  return verdict(error, typeof fix === "function" ? fix(machine) : fix);
}

/** `asked` answers, or says that there is no driver, and knows of no card. */
export function noCardVerdict(machine: Machine, asked: string): Verdict {
  if (!mustAnswer(machine)) return absent("no card answers");
  const fix =
    containerOf(machine) === null
      ? `${LOG}: the driver may have failed to start the cards`
      : `give the container its cards: ${GIVE_TO_CONTAINER}`;
  // The device stays where the driver was unloaded.
  if (driverVersion(machine) === null && hasDriver(machine.root))
    return problem(`no card answers: ${asked} lists none, or finds no driver behind /dev/nvidiactl`, fix);
  return problem(`no card answers: ${asked} works, and lists none`, fix);
}
