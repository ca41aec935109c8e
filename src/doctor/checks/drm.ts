import { absent, type Check, type Group, note, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { cardWords, type PciCard, pciCards } from "../pci.ts";
import { gpuName, gpuWords, readGpus } from "./gpu_readings.ts";
import { missingCapabilities } from "./program.ts";

/** A vendor whose cards are read through sysfs, by the kernel's own drivers. */
interface Vendor {
  readonly group: Group;
  readonly id: string;
  readonly drivers: readonly string[];
  /** Files of a card that tell most of what is read. */
  readonly files: readonly string[];
  readonly load: string;
}

const VENDORS: readonly Vendor[] = [
  {
    group: "amd",
    id: "0x1002",
    drivers: ["amdgpu"],
    files: ["gpu_busy_percent", "mem_info_vram_used", "gpu_metrics"],
    load: "modprobe amdgpu; firmware that is missing (package linux-firmware, firmware-amd-graphics) is named by dmesg",
  },
  {
    group: "intel",
    id: "0x8086",
    drivers: ["i915", "xe"],
    files: [],
    load: "modprobe xe (or i915, for older chips)",
  },
];

export const drmChecks: readonly Check[] = VENDORS.flatMap((vendor): Check[] => [
  { group: vendor.group, name: "cards", run: ({ files }) => cards(pciCards(files, vendor.id)) },
  { group: vendor.group, name: "driver", run: (machine) => eachCard(machine, vendor, driver) },
  { group: vendor.group, name: "files", run: (machine) => eachCard(machine, vendor, sysfs) },
  { group: vendor.group, name: "devices", run: (machine) => eachCard(machine, vendor, renderNode) },
  { group: vendor.group, name: "processes", run: (machine) => otherUsers(machine, vendor) },
  { group: vendor.group, name: "readings", limit_ms: 5000, run: (machine) => readings(machine, vendor) },
]);

const cards = (found: readonly PciCard[]): Verdict[] =>
  found.length === 0 ? [absent("no card on the PCI bus")] : [ok(cardWords(found))];

type CardCheck = (card: PciCard, machine: Machine, vendor: Vendor) => Verdict[];

const eachCard = (machine: Machine, vendor: Vendor, look: CardCheck): Verdict[] =>
  merged(pciCards(machine.files, vendor.id).map((card) => look(card, machine, vendor)));

/** The same good news of several cards is said once. */
function merged(verdicts: readonly Verdict[][]): Verdict[] {
  const seen = new Set<string>();
  return verdicts.flat().filter(({ state, says }) => state !== "ok" || (!seen.has(says) && seen.add(says)));
}

function driver({ address, driver }: PciCard, _machine: Machine, { drivers, load }: Vendor): Verdict[] {
  if (driver === null) return [problem(`${address} has no driver`, load)];
  if (drivers.includes(driver)) return [ok(`${driver} is loaded`)];
  if (driver === "vfio-pci") return [note(`${address} is kept for virtual machines (${driver})`)];
  return [problem(`${address} is driven by ${driver}, which tells nothing of what is read`, load)];
}

const isDriven = ({ driver }: PciCard, { drivers }: Vendor): boolean => driver !== null && drivers.includes(driver);

function sysfs(card: PciCard, { files }: Machine, vendor: Vendor): Verdict[] {
  if (!isDriven(card, vendor)) return [];
  if (files.text(`${card.folder}/power/runtime_status`) === "suspended") {
    return [ok(`${card.address} sleeps: it is not woken to be read`)];
  }
  return vendor.files
    .map((name) => `${card.folder}/${name}`)
    .flatMap((path) => {
      const code = files.denied(path, "r");
      if (code !== "EACCES" && code !== "EPERM") return [];
      return [problem(`${path} may not be read by this user`, `chmod a+r ${path}, or run as root`)];
    });
}

/** Reading needs it not; who works on the machine will want to know. */
function renderNode(card: PciCard, { own, uid }: Machine, vendor: Vendor): Verdict[] {
  if (!isDriven(card, vendor) || card.renderNode === null) return [];
  const path = `/dev/dri/${card.renderNode}`;
  const code = own.denied(path, "rw");
  if (code === null) return [ok("programs of this user can use it")];
  if (code === "ENOENT")
    return [note(`${path} is missing: it can be read here, not used`, `docker run --device=${path}`)];
  return [
    note(
      `${path} may not be opened by user ${uid}: it can be read, not used`,
      "usermod -aG render,video USER, and log in anew; docker run --group-add",
    ),
  ];
}

const hasDriven = ({ files }: Machine, vendor: Vendor): boolean =>
  pciCards(files, vendor.id).some((card) => isDriven(card, vendor));

/** What a process uses of a card is told in /proc/PID/fdinfo, which is for its user only. */
function otherUsers(machine: Machine, vendor: Vendor): Verdict[] {
  const missing = missingCapabilities(machine.own.text("/proc/self/status"));
  if (!hasDriven(machine, vendor) || !missing.includes("CAP_SYS_PTRACE")) return [];
  return [note("what other users' processes use of the GPU is hidden", "run as root, or with CAP_SYS_PTRACE")];
}

async function readings(machine: Machine, vendor: Vendor): Promise<Verdict[]> {
  if (!hasDriven(machine, vendor)) return [];
  const reading = await readGpus(machine, vendor.group, () => false, 0);
  if (reading === null) return [];
  const lost = reading.gpus.flatMap((gpu) =>
    gpu.lost == null ? [] : [problem(`${gpuName(gpu)} is lost: ${gpu.lost.reason}`)],
  );
  const answering = reading.gpus.filter(({ lost }) => lost == null);
  return [
    ...(answering.length > 0 ? [ok(gpuWords(answering))] : [problem("no card answers")]),
    ...lost,
    ...reading.errors.map((error) => problem(error)),
  ];
}
