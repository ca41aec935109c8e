import { absent, type Check, note, ok, problem, type Verdict } from "../finding.ts";
import { isWsl, type Machine } from "../machine.ts";
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

/** The driver is in Windows there, and nothing of it on a bus. */
const WSL_DEVICE = "/dev/dxg";
const TEGRA = /nvidia,tegra/;

const isTegra = ({ files }: Machine): boolean => TEGRA.test(files.text("/proc/device-tree/compatible") ?? "");

/** Whether something is there that can be asked: without a driver nobody answers. */
export const hasNvidiaDriver = (machine: Machine): boolean =>
  driverVersion(machine) !== null ||
  isTegra(machine) ||
  (isWsl(machine) && machine.own.exists(WSL_DEVICE)) ||
  Boolean(machine.env.ALL_SMI_NVML);

/** Whether anything speaks for an NVIDIA GPU; where nothing does, one line says it all. */
export const hasNvidia = (machine: Machine): boolean => nvidiaCards(machine).length > 0 || hasNvidiaDriver(machine);

function cards(machine: Machine): Verdict[] {
  const found = nvidiaCards(machine);
  if (found.length > 0) return [ok(cardWords(found))];
  if (isTegra(machine)) return [ok("a GPU in the chip (Tegra)")];
  if (isWsl(machine) && machine.own.exists(WSL_DEVICE)) return [ok(`GPUs of Windows, by ${WSL_DEVICE}`)];
  if (driverVersion(machine) !== null) return [note("the driver is loaded, and no card is on the PCI bus")];
  if (machine.env.ALL_SMI_NVML)
    return [note("no card on the PCI bus, no driver: only what ALL_SMI_NVML names is asked")];
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
  if (found.every((card) => card.driver !== null && card.driver !== "nvidia")) return others;
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
