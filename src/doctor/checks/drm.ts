import { absent, type Check, type Group, note, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { cardWords, type PciCard, pciCards } from "../pci.ts";
import { gpuName, gpuWords, isAnswering, readGpus } from "./gpu_readings.ts";
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
  { group: vendor.group, name: "driver", run: ({ files }) => drivers(pciCards(files, vendor.id), vendor) },
  { group: vendor.group, name: "files", run: (machine) => sysfs(machine, vendor) },
  { group: vendor.group, name: "devices", run: (machine) => renderNodes(machine, vendor) },
  { group: vendor.group, name: "processes", run: (machine) => otherUsers(machine, vendor) },
  { group: vendor.group, name: "readings", limit_ms: 5000, run: (machine) => readings(machine, vendor) },
]);

const cards = (found: readonly PciCard[]): Verdict[] =>
  found.length === 0 ? [absent("no card on the PCI bus")] : [ok(cardWords(found))];

function drivers(found: readonly PciCard[], vendor: Vendor): Verdict[] {
  const good = new Set(found.filter((card) => isDriven(card, vendor)).map(({ driver }) => driver));
  const others = found.filter((card) => !isDriven(card, vendor)).map((card) => otherDriver(card, vendor));
  return [...[...good].map((name) => ok(`${name} is loaded`)), ...others];
}

function otherDriver({ address, driver }: PciCard, { load }: Vendor): Verdict {
  if (driver === null) return problem(`${address} has no driver`, load);
  if (driver === "vfio-pci") return note(`${address} is kept for virtual machines (${driver})`);
  return problem(`${address} is driven by ${driver}, which tells nothing of what is read`, load);
}

const isDriven = ({ driver }: PciCard, vendor: Vendor): boolean => driver !== null && vendor.drivers.includes(driver);

const drivenCards = ({ files }: Machine, vendor: Vendor): PciCard[] =>
  pciCards(files, vendor.id).filter((card) => isDriven(card, vendor));

function sysfs(machine: Machine, vendor: Vendor): Verdict[] {
  const { files } = machine;
  const cards = drivenCards(machine, vendor);
  const isAsleep = ({ folder }: PciCard) => files.text(`${folder}/power/runtime_status`) === "suspended";
  const paths = cards.flatMap(({ folder }) => vendor.files.map((name) => `${folder}/${name}`));
  const denied = paths.filter((path) => ["EACCES", "EPERM"].includes(files.denied(path, "r") ?? ""));
  return [
    ...cards.filter(isAsleep).map(({ address }) => ok(`${address} sleeps: it is not woken to be read`)),
    ...(denied.length > 0 ? [problem(`this user may not read ${pathWords(denied)}`, "chmod a+r, or run as root")] : []),
  ];
}

/** Reading needs them not; who works on the machine will want to know. */
function renderNodes(machine: Machine, vendor: Vendor): Verdict[] {
  const cards = drivenCards(machine, vendor);
  const paths = cards.flatMap(({ renderNode }) => (renderNode === null ? [] : [`/dev/dri/${renderNode}`]));
  const missing = paths.filter((path) => !machine.own.exists(path));
  const denied = paths.filter((path) => !missing.includes(path) && machine.own.denied(path, "rw") !== null);
  if (paths.length > 0 && missing.length + denied.length === 0) return [ok("programs of this user can use the cards")];
  return [
    ...(missing.length > 0
      ? [note(`without ${pathWords(missing)} cards can be read here, not used`, "docker run --device=/dev/dri")]
      : []),
    ...(denied.length > 0
      ? [
          note(
            `user ${machine.uid} may not open ${pathWords(denied)}: cards can be read, not used`,
            "usermod -aG render,video USER, and log in anew; docker run --group-add",
          ),
        ]
      : []),
  ];
}

const pathWords = (paths: readonly string[]): string =>
  paths.length > 1 ? `${paths[0]} and ${paths.length - 1} more` : (paths[0] ?? "");

/** What a process uses of a card is told in /proc/PID/fdinfo, which is for its user only. */
function otherUsers(machine: Machine, vendor: Vendor): Verdict[] {
  const missing = missingCapabilities(machine.own.text("/proc/self/status"));
  if (drivenCards(machine, vendor).length === 0 || !missing.includes("CAP_SYS_PTRACE")) return [];
  return [note("what other users' processes use of the GPU is hidden", "run as root, or with CAP_SYS_PTRACE")];
}

async function readings(machine: Machine, vendor: Vendor): Promise<Verdict[]> {
  if (drivenCards(machine, vendor).length === 0) return [];
  const reading = await readGpus(machine, [vendor.group], 0);
  if (reading === null) return [];
  const lost = reading.gpus.flatMap((gpu) =>
    gpu.lost ? [problem(`${gpuName(gpu)} is lost: ${gpu.lost.reason}`)] : [],
  );
  const answering = reading.gpus.filter(isAnswering);
  return [
    ...(answering.length > 0 ? [ok(gpuWords(answering))] : [problem("no card answers")]),
    ...lost,
    ...reading.errors.map((error) => problem(error)),
  ];
}
