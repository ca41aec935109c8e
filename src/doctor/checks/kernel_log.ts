import { closeSync, constants, openSync } from "node:fs";
import { linkBelow } from "../../sources/local/below_root.ts";
import { codeOf } from "../../sources/local/files.ts";
import { type Check, ok, problem, type Verdict } from "../finding.ts";
import { containerOf, type Machine } from "../machine.ts";

export const kernelLogChecks: readonly Check[] = [
  { group: "kernel", name: "log", run: (machine) => [log(machine, openLog(machine.root))] },
];

/** The code of the error, by opening it: the kernel decides only then who may read (`dmesg_restrict`). */
function openLog(root: string): string | null {
  try {
    closeSync(openSync(linkBelow(root, "/dev/kmsg"), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

const WITHOUT = "XIDs, GPU resets, PCIe errors and out-of-memory kills in it are not seen";

export function log(machine: Machine, code: string | null): Verdict {
  const isContained = containerOf(machine) !== null;
  if (code === null) return ok("can be read: XIDs, GPU resets, PCIe errors, out-of-memory kills");
  if (code === "ENOENT") {
    const fix = "docker run --device=/dev/kmsg --cap-add=SYSLOG";
    return isContained
      ? problem(`this container has no /dev/kmsg: ${WITHOUT}`, fix)
      : problem(`there is no /dev/kmsg: ${WITHOUT}`, `on the machine: mknod /dev/kmsg c 1 11; in a container: ${fix}`);
  }
  if (code !== "EPERM" && code !== "EACCES") return problem(`/dev/kmsg cannot be opened (${code}): ${WITHOUT}`);
  if (isContained) {
    return problem(`this container may not read it: ${WITHOUT}`, "docker run --device=/dev/kmsg --cap-add=SYSLOG");
  }
  const isRestricted = machine.files.text("/proc/sys/kernel/dmesg_restrict") === "1";
  return problem(
    `user ${machine.uid} may not read it${isRestricted ? " (dmesg_restrict)" : ""}: ${WITHOUT}`,
    "run as root or with CAP_SYSLOG (the systemd unit has it), or sysctl kernel.dmesg_restrict=0",
  );
}
