import { expect, test } from "bun:test";
import { findingsOf, fixesOf, machineOf, pciTree, type Tree } from "../../../test/doctor.ts";
import type { Machine } from "../machine.ts";
import { nvidiaAccessChecks } from "./nvidia_access.ts";
import { nvidiaDriverChecks, parseDriverVersion } from "./nvidia_driver.ts";

const CHECKS = [...nvidiaDriverChecks, ...nvidiaAccessChecks];

const [CARD, OTHER] = ["0000:06:00.0", "0000:07:00.0"];
const LIBRARY = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1";

const DRIVER: Tree = {
  "/proc/driver/nvidia/version":
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  590.48.01  Mon Dec  8 12:51:00 UTC 2025\nGCC version:  gcc 13.3.0",
};
const information = (minor: number): string =>
  `Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 61\nDevice Minor: \t ${minor}\n`;
const GPUS: Tree = {
  [`/proc/driver/nvidia/gpus/${CARD}/information`]: information(0),
  [`/proc/driver/nvidia/gpus/${OTHER}/information`]: information(1),
};
const NODES: Tree = { "/dev/nvidiactl": "", "/dev/nvidia0": "", "/dev/nvidia1": "" };
const BUS: Tree = { ...pciTree(CARD, "0x10de", "nvidia"), ...pciTree(OTHER, "0x10de", "nvidia") };
const libraryOf = (version: string): Tree => ({
  [LIBRARY]: { link: `libnvidia-ml.so.${version}` },
  [`/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.${version}`]: "",
});
const SMI: Tree = { "/usr/bin/nvidia-smi": "" };
const FINE: Tree = { ...BUS, ...DRIVER, ...GPUS, ...NODES, ...libraryOf("590.48.01"), ...SMI };
const env = { PATH: "/usr/local/bin:/usr/bin" };
const CONTAINER: Tree = { "/.dockerenv": "" };

const without = (tree: Tree, ...paths: string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.some((gone) => path.startsWith(gone))));

test("all is fine", async () => {
  using machine = machineOf(FINE, { env });
  expect(await findingsOf(CHECKS, machine)).toEqual([
    `ok cards: 2 cards on the PCI bus (${CARD}, ${OTHER})`,
    "ok driver: 590.48.01 is loaded",
    "ok devices: /dev/nvidiactl and 2 of cards can be opened",
    `ok library: ${LIBRARY}`,
    "ok nvidia-smi: /usr/bin/nvidia-smi, for where the library cannot be loaded",
  ]);
  expect(await fixesOf(CHECKS, machine)).toBe("");
});

test("no GPU at all: one line", async () => {
  using machine = machineOf(pciTree("0000:00:1f.0", "0x8086", null, { class: "0x060100" }), { env });
  expect(await findingsOf(CHECKS, machine)).toEqual(["absent cards: no card on the PCI bus, no driver"]);
});

test("what else NVIDIA makes is no card", async () => {
  using machine = machineOf(pciTree("0000:06:00.1", "0x10de", "snd_hda_intel", { class: "0x040300" }));
  expect(await findingsOf(CHECKS, machine)).toEqual(["absent cards: no card on the PCI bus, no driver"]);
});

test("a card without a driver", async () => {
  using machine = machineOf(pciTree(CARD, "0x10de", null), { env });
  expect(await findingsOf(CHECKS, machine)).toEqual([
    `ok cards: 1 card on the PCI bus (${CARD})`,
    "problem driver: no driver is loaded",
    "absent nvidia-smi: not on PATH: needed only where the library cannot be loaded",
  ]);
  expect(await fixesOf(CHECKS, machine)).toContain("modprobe nvidia");
});

test("nouveau has the card", async () => {
  using machine = machineOf(pciTree(CARD, "0x10de", "nouveau"));
  expect(await findingsOf(nvidiaDriverChecks, machine)).toEqual([
    `ok cards: 1 card on the PCI bus (${CARD})`,
    `problem driver: ${CARD} is driven by nouveau, which tells next to nothing`,
  ]);
  expect(await fixesOf(CHECKS, machine)).toContain("blacklist nouveau");
});

test("a card that a virtual machine has is no problem of this one", async () => {
  using machine = machineOf(pciTree(CARD, "0x10de", "vfio-pci"));
  const [, driver] = await findingsOf(nvidiaDriverChecks, machine);
  expect(driver).toStartWith(`note driver: ${CARD} is kept for virtual machines`);
});

test("one of two cards is not taken by the driver", async () => {
  using machine = machineOf(without(FINE, `/sys/bus/pci/devices/${OTHER}/driver`));
  expect(await findingsOf(nvidiaDriverChecks, machine)).toEqual([
    expect.stringContaining("2 cards"),
    "ok driver: 590.48.01 is loaded",
    `problem driver: ${OTHER} is not taken by the driver`,
  ]);
});

test("the driver without device nodes: on the machine itself, and in a container", async () => {
  const tree = without(FINE, "/dev/");
  using machine = machineOf(tree);
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain(
    "problem devices: /dev/nvidiactl is missing, though the driver is loaded",
  );
  expect(await fixesOf(nvidiaAccessChecks, machine)).toContain("nvidia-modprobe");
  using container = machineOf({ ...tree, ...CONTAINER });
  expect(await fixesOf(nvidiaAccessChecks, container)).toContain("docker run --gpus all");
});

test("a node of one card is missing", async () => {
  using machine = machineOf(without(FINE, "/dev/nvidia1"));
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain("problem devices: /dev/nvidia1 missing");
});

test("a container that is given one of two cards", async () => {
  using machine = machineOf(
    { ...without(FINE, "/dev/nvidia1"), ...CONTAINER },
    { env: { NVIDIA_VISIBLE_DEVICES: "0" } },
  );
  const found = await findingsOf(nvidiaAccessChecks, machine);
  expect(found).toContain('ok container: NVIDIA_VISIBLE_DEVICES is "0"');
  expect(found).toContain("note devices: 1 of the machine's 2 cards are given to this container");
});

test.each(["", "void", "none"])("a container that is given no card: NVIDIA_VISIBLE_DEVICES is %p", async (value) => {
  using machine = machineOf({ ...without(FINE, "/dev/"), ...CONTAINER }, { env: { NVIDIA_VISIBLE_DEVICES: value } });
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain(
    `problem container: NVIDIA_VISIBLE_DEVICES is "${value}": this container is given no card`,
  );
});

test("a container whose cards come by CDI, which says void", async () => {
  using machine = machineOf({ ...FINE, ...CONTAINER }, { env: { NVIDIA_VISIBLE_DEVICES: "void" } });
  expect(await fixesOf(nvidiaAccessChecks, machine)).toBe("");
});

test("a device that the file's mode, and one that the control group forbids", async () => {
  using machine = machineOf(FINE, { denied: { "/dev/nvidia1": "EACCES" } });
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain(
    "problem devices: /dev/nvidia1 may not be opened by user 1000",
  );
  expect(await fixesOf(nvidiaAccessChecks, machine)).toContain("usermod -aG");
  using container = machineOf({ ...FINE, ...CONTAINER }, { denied: { "/dev/nvidiactl": "EPERM" } });
  expect(await findingsOf(nvidiaAccessChecks, container)).toContain(
    "problem devices: the control group of this container forbids /dev/nvidiactl",
  );
});

test("the library is of another version than the driver", async () => {
  const tree = { ...without(FINE, LIBRARY), ...libraryOf("580.82.07") };
  using machine = machineOf(tree);
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain(
    `problem library: the library (${LIBRARY}) is of 580.82.07, the driver of 590.48.01: NVML refuses to work`,
  );
  expect(await fixesOf(nvidiaAccessChecks, machine)).toContain("reboot");
  using container = machineOf({ ...tree, ...CONTAINER });
  expect(await fixesOf(nvidiaAccessChecks, container)).toContain("remove the library from the image");
});

test("no library, and one that is named and is not there", async () => {
  using machine = machineOf(without(FINE, "/usr/lib", "/usr/bin"));
  expect(await findingsOf(nvidiaAccessChecks, machine)).toContain(
    "problem library: libnvidia-ml.so.1 is in none of the usual folders",
  );
  using withSmi = machineOf(without(FINE, "/usr/lib"), { env });
  expect(await findingsOf(nvidiaAccessChecks, withSmi)).toContain(
    "note library: libnvidia-ml.so.1 is in none of the usual folders: nvidia-smi is asked, which tells less",
  );
  const wrong = { env: { ALL_SMI_NVML: "/opt/libnvidia-ml.so" } };
  const says = "problem library: ALL_SMI_NVML names /opt/libnvidia-ml.so, which cannot be read: ENOENT";
  using named = machineOf(without(FINE, "/usr/bin"), wrong);
  expect(await findingsOf(nvidiaAccessChecks, named)).toContain(says);
  using namedBesideSmi = machineOf(FINE, wrong);
  expect(await findingsOf(nvidiaAccessChecks, namedBesideSmi)).toContain(`${says}; nvidia-smi is asked instead`);
});

test("one that is named: with NVML's functions in it, and something else, of which the readings say what it is", async () => {
  const path = "/opt/libnvidia-ml.so";
  const named = (text: string) => machineOf({ [path]: text }, { env: { ALL_SMI_NVML: path } });
  const ofLibrary = async (machine: Machine) =>
    (await findingsOf(nvidiaAccessChecks, machine)).filter((found) => found.includes("library:"));
  using library = named("\u007fELF\0nvmlInit_v2\0");
  expect(await ofLibrary(library)).toEqual([`ok library: ${path}, named by ALL_SMI_NVML`]);
  using other = named("garbage");
  expect(await ofLibrary(other)).toEqual([]);
  using forTheLoader = machineOf({}, { env: { ALL_SMI_NVML: "libnvidia-ml.so.1" } });
  expect(await ofLibrary(forTheLoader)).toEqual([]);
});

test("a library that only the loader knows, by its cache or by LD_LIBRARY_PATH", async () => {
  const tree = { ...without(FINE, "/usr/lib"), "/usr/lib/odd/libnvidia-ml.so.1": "" };
  const cache = "glibc-ld.so.cache1.1\0\0/usr/lib/odd/libnvidia-ml.so.1\0/usr/lib/libm.so.6\0";
  using cached = machineOf({ ...tree, "/etc/ld.so.cache": cache });
  expect(await findingsOf(nvidiaAccessChecks, cached)).toContain("ok library: /usr/lib/odd/libnvidia-ml.so.1");
  using named = machineOf(tree, { env: { LD_LIBRARY_PATH: "/nowhere:/usr/lib/odd" } });
  expect(await findingsOf(nvidiaAccessChecks, named)).toContain("ok library: /usr/lib/odd/libnvidia-ml.so.1");
});

test("Windows has the driver", async () => {
  using machine = machineOf({
    "/proc/sys/kernel/osrelease": "5.15.167.4-microsoft-standard-WSL2",
    "/dev/dxg": "",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1": "",
    "/usr/lib/wsl/lib/nvidia-smi": "",
  });
  expect(await findingsOf(CHECKS, machine)).toEqual([
    "ok cards: GPUs of Windows, by /dev/dxg",
    "ok library: /usr/lib/wsl/lib/libnvidia-ml.so.1",
    "ok nvidia-smi: /usr/lib/wsl/lib/nvidia-smi, for where the library cannot be loaded",
  ]);
});

test.each([
  ["NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2 14:37:44 UTC 2024", "470.256.02"],
  ["NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build  (root@)", "580.82.07"],
  ["NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build", "540.4.0"],
  ["590.48.01", "590.48.01"],
  ["", null],
  ["garbage 12 \u0000", null],
])("the driver's version in %p", (text, expected) => {
  expect(parseDriverVersion(text)).toBe(expected);
});
