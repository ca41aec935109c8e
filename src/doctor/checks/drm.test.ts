import { expect, test } from "bun:test";
import { findingsOf, fixesOf, machineOf, pciTree, type Tree } from "../../../test/doctor.ts";
import { openGpus } from "../../../test/fixtures/gpus/open.ts";
import { Files } from "../files.ts";
import { drmChecks } from "./drm.ts";

const CARD = "0000:03:00.0";
const FOLDER = `/sys/bus/pci/devices/${CARD}`;
/** What is read of the cards has tests of its own. */
const AMD = drmChecks.filter(({ group, name }) => group === "amd" && name !== "readings");
const INTEL = drmChecks.filter(({ group, name }) => group === "intel" && name !== "readings");

const FILES: Tree = {
  gpu_busy_percent: "12",
  mem_info_vram_used: "1048576",
  gpu_metrics: "",
  "drm/card0/dev": "226:0",
  "drm/renderD128/dev": "226:128",
};
const ALL_RIGHTS: Tree = { "/proc/self/status": "CapEff:\t000001ffffffffff" };
const FINE: Tree = { ...pciTree(CARD, "0x1002", "amdgpu", FILES), "/dev/dri/renderD128": "", ...ALL_RIGHTS };

test("an AMD card, and all is fine", async () => {
  using machine = machineOf(FINE);
  expect(await findingsOf(AMD, machine)).toEqual([
    `ok cards: 1 card on the PCI bus (${CARD})`,
    "ok driver: amdgpu is loaded",
    "ok devices: programs of this user can use the cards",
  ]);
});

test("eight AMD accelerators, which are no displays: what is fine is said once", async () => {
  const addresses = Array.from({ length: 8 }, (_, i) => `0000:${i + 1}5:00.0`);
  const trees = addresses.map((address) => pciTree(address, "0x1002", "amdgpu", { class: "0x120000" }));
  using machine = machineOf(Object.assign({}, ALL_RIGHTS, ...trees));
  expect(await findingsOf(AMD, machine)).toEqual([
    "ok cards: 8 cards on the PCI bus (0000:15:00.0, 0000:25:00.0, 0000:35:00.0, …)",
    "ok driver: amdgpu is loaded",
  ]);
});

test("an AMD card without a driver, or with one that tells nothing", async () => {
  using none = machineOf(pciTree(CARD, "0x1002", null));
  expect(await findingsOf(AMD, none)).toContain(`problem driver: ${CARD} has no driver`);
  expect(await fixesOf(AMD, none)).toContain("modprobe amdgpu");
  using old = machineOf(pciTree(CARD, "0x1002", "radeon"));
  expect(await findingsOf(AMD, old)).toContain(
    `problem driver: ${CARD} is driven by radeon, which tells nothing of what is read`,
  );
});

test("an AMD card whose files and whose render node this user may not open", async () => {
  const path = `${FOLDER}/gpu_metrics`;
  using machine = machineOf(FINE, { denied: { [path]: "EACCES", "/dev/dri/renderD128": "EACCES" } });
  expect(await findingsOf(AMD, machine)).toEqual([
    `ok cards: 1 card on the PCI bus (${CARD})`,
    "ok driver: amdgpu is loaded",
    `problem files: this user may not read ${path}`,
    "note devices: user 1000 may not open /dev/dri/renderD128: cards can be read, not used",
  ]);
  expect(await fixesOf(AMD, machine)).toContain("usermod -aG render,video");
});

test.each([
  ["amd-mi300x", "2 AMD Instinct MI300X"],
  ["amd-radeon-780m", "1 AMD Radeon 780M Graphics"],
  ["intel-arc-b580", "1 Intel Arc B580"],
])("the cards of the recorded machine %s answer", async (name, cards) => {
  using recorded = openGpus(name);
  using made = machineOf({});
  const files = new Files(recorded.root);
  for (const address of files.names("/sys/bus/pci/devices")) {
    const folder = `/sys/bus/pci/devices/${address}`;
    if (files.exists(`${folder}/drm`)) recorded.write(`${folder}/class`, "0x030000");
  }
  const found = await findingsOf(drmChecks, { ...made, root: recorded.root, files, own: files });
  expect(found).toContain(`ok readings: ${cards}`);
  expect(found.filter((line) => line.startsWith("problem"))).toEqual([]);
  // The recordings have no /dev.
  expect(found).toContainEqual(
    expect.stringMatching(/^note devices: without \/dev\/dri\/renderD1\d\d.* cards can be read here, not used$/),
  );
});

test("an ordinary user does not see what others use", async () => {
  using machine = machineOf({ ...FINE, "/proc/self/status": "CapEff:\t0000000000000000" });
  expect(await findingsOf(AMD, machine)).toContain(
    "note processes: what other users' processes use of the GPU is hidden",
  );
});

test("a card that sleeps is not woken", async () => {
  const sleeping = pciTree(CARD, "0x1002", "amdgpu", { "power/runtime_status": "suspended" });
  using machine = machineOf(sleeping, { denied: { [`${FOLDER}/gpu_metrics`]: "EACCES" } });
  expect(await findingsOf(AMD, machine)).toContain(`ok files: ${CARD} sleeps: it is not woken to be read`);
});

test("Intel: either driver will do", async () => {
  using machine = machineOf({
    ...ALL_RIGHTS,
    ...pciTree("0000:00:02.0", "0x8086", "i915", { class: "0x030000" }),
    ...pciTree(CARD, "0x8086", "xe", { class: "0x030000" }),
  });
  expect(await findingsOf(INTEL, machine)).toEqual([
    `ok cards: 2 cards on the PCI bus (0000:00:02.0, ${CARD})`,
    "ok driver: i915 is loaded",
    "ok driver: xe is loaded",
  ]);
});

test("a machine without such cards", async () => {
  using machine = machineOf({});
  expect(await findingsOf(AMD, machine)).toEqual(["absent cards: no card on the PCI bus"]);
  expect(await findingsOf(INTEL, machine)).toEqual(["absent cards: no card on the PCI bus"]);
});
