import { hasDriver, mayHaveCards } from "../../sources/gpu/nvidia/presence.ts";
import { absent, type Check, note, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { cardWords, type PciCard, pciCards } from "../pci.ts";

export const nvidiaDriverChecks: readonly Check[] = [
  { group: "nvidia", name: "cards", run: cards },
  { group: "nvidia", name: "driver", run: driver },
];

const nvidiaCards = ({ files }: Machine): PciCard[] => pciCards(files, "0x10de");

/** The version of the kernel's module, by what it says in /proc; in a container it may be seen there only. */
export function driverVersion({ files, own }: Machine): string | null {
  const text =
    files.text("/proc/driver/nvidia/version") ??
    own.text("/proc/driver/nvidia/version") ??
    files.text("/sys/module/nvidia/version");
  return text === null ? null : parseDriverVersion(text);
}

/** `NVRM version: NVIDIA UNIX x86_64 Kernel Module  590.48.01  …`, or the version alone. */
export const parseDriverVersion = (text: string): string | null =>
  /\b(\d{3,4}\.\d+(?:\.\d+)?)\b/.exec(text)?.[1] ?? null;

const WSL_DEVICE = "/dev/dxg";

/** Whether the GPUs are those of Windows, which has their driver, and nothing of them is on a bus. */
export const areOfWindows = ({ files }: Machine): boolean => files.exists(WSL_DEVICE);

const TEGRA = /nvidia,tegra/;

const isTegra = ({ files }: Machine): boolean => TEGRA.test(files.text("/proc/device-tree/compatible") ?? "");

/** Whether the kernel's module is loaded, by what it says or by its device. */
export const isDriverThere = (machine: Machine): boolean => driverVersion(machine) !== null || hasDriver(machine.root);

/** Whether there is something to ask: a driver, or what the reader takes for a sign of one. */
export const isAsked = (machine: Machine): boolean =>
  isDriverThere(machine) || isTegra(machine) || Boolean(machine.env.ALL_SMI_NVML) || mayHaveCards(machine.root);

/** Whether it is a problem where nothing can be read. A library or nvidia-smi alone may be part of an image. */
export const mustAnswer = (machine: Machine): boolean =>
  nvidiaCards(machine).length > 0 ||
  isDriverThere(machine) ||
  isTegra(machine) ||
  areOfWindows(machine) ||
  Boolean(machine.env.ALL_SMI_NVML);

/** Whether anything speaks for an NVIDIA GPU; where nothing does, one line says it all. */
export const hasNvidia = (machine: Machine): boolean => nvidiaCards(machine).length > 0 || isAsked(machine);

/** That there are cards, and none of them has the driver, is told by the check of the driver. */
export const isWithoutDriver = (machine: Machine): boolean =>
  driverVersion(machine) === null && nvidiaCards(machine).length > 0 && !hasBoundCard(machine);

const hasBoundCard = (machine: Machine): boolean => nvidiaCards(machine).some(({ driver }) => driver === "nvidia");

function cards(machine: Machine): Verdict[] {
  const found = nvidiaCards(machine);
  if (found.length > 0) return [ok(cardWords(found))];
  if (isTegra(machine)) return [ok("a GPU in the chip (Tegra)")];
  if (areOfWindows(machine)) return [ok(`GPUs of Windows, by ${WSL_DEVICE}`)];
  if (driverVersion(machine) !== null) return [note("the driver is loaded, and no card is on the PCI bus")];
  if (hasDriver(machine.root)) return [note("the driver's /dev/nvidiactl is there, and no card is on the PCI bus")];
  if (machine.env.ALL_SMI_NVML) {
    const orElse = machine.nvidiaSmi === null ? "" : ", or else nvidia-smi";
    return [note(`no card on the PCI bus, no driver: only what ALL_SMI_NVML names is asked${orElse}`)];
  }
  if (isAsked(machine))
    return [note("no card on the PCI bus, no /dev/nvidiactl: the readings show whether there is one")];
  return [absent("no card on the PCI bus, no driver")];
}

const INSTALL =
  "install the driver and load it (modprobe nvidia); if it is installed, dmesg says why it did not load " +
  "(Secure Boot refuses modules without a signature)";
const REPLACE_NOUVEAU =
  "install NVIDIA's driver, keep nouveau out (blacklist nouveau in /etc/modprobe.d, make the initramfs anew), reboot";

function driver(machine: Machine): Verdict[] {
  const found = nvidiaCards(machine);
  const version = driverVersion(machine);
  const others = found.filter((card) => card.driver !== "nvidia" && card.driver !== null).flatMap(otherDriver);
  if (version !== null) return [ok(`${version} is loaded`), ...others, ...unbound(found)];
  if (found.length === 0) return [];
  if (hasBoundCard(machine)) return [ok("is loaded, and does not tell its version"), ...others, ...unbound(found)];
  if (found.every((card) => card.driver !== null)) return others;
  return [problem("no driver is loaded", INSTALL), ...others];
}

/** Drivers that hand a card on to a virtual machine. */
const PASSED_ON = new Set(["vfio-pci", "pci-stub", "pciback"]);

function otherDriver({ address, driver }: PciCard): Verdict[] {
  if (driver === "nouveau")
    return [problem(`${address} is driven by nouveau, which tells next to nothing`, REPLACE_NOUVEAU)];
  if (PASSED_ON.has(driver ?? "")) {
    return [
      note(`${address} is kept for virtual machines (${driver}): it can be read in the machine that has it only`),
    ];
  }
  return [problem(`${address} is driven by ${driver}, not by NVIDIA's driver`, INSTALL)];
}

const unbound = (cards: readonly PciCard[]): Verdict[] =>
  cards
    .filter((card) => card.driver === null)
    .map(({ address }) =>
      problem(
        `${address} is not taken by the driver`,
        `dmesg | grep ${address} says why: too old for this driver, or broken`,
      ),
    );
