import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { type Machine, openMachine } from "../../../../test/fixtures/machines/make.ts";
import { Tree } from "../../local/files.ts";
import { CardIndexes } from "./indexes.ts";

const [INTEL, AMD, SECOND_AMD, THIRD_AMD] = ["0000:00:02.0", "0000:03:00.0", "0000:43:00.0", "0000:83:00.0"];

function link(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function addCard({ root, write }: Machine, name: string, pci: string, driver: string): void {
  const folder = `/sys/devices/${pci}`;
  write(`${folder}/vendor`, driver === "amdgpu" ? "0x1002" : "0x8086");
  write(`${folder}/device`, "0x1234");
  link(`${root}${folder}/driver`, `../../bus/pci/drivers/${driver}`);
  link(`${root}/sys/class/drm/${name}/device`, `../../../devices/${pci}`);
}

function addNvidia({ root, write }: Machine, pci: string, driver: string | null): void {
  const folder = `/sys/devices/${pci}`;
  write(`${folder}/vendor`, "0x10de");
  write(`${folder}/class`, "0x030200");
  link(`${root}/sys/bus/pci/devices/${pci}`, `../../../devices/${pci}`);
  if (driver === null) return;
  link(`${root}${folder}/driver`, `../../bus/pci/drivers/${driver}`);
  link(`${root}/sys/bus/pci/drivers/${driver}/${pci}`, `../../../../devices/${pci}`);
}

const ORDERS = [
  [INTEL, AMD, SECOND_AMD],
  [SECOND_AMD, AMD, INTEL],
];
test.each(ORDERS)("AMD's come before Intel's, whoever asks first: %s", (...order) => {
  using machine = openMachine(null);
  addCard(machine, "card0", INTEL, "i915");
  addCard(machine, "card1", SECOND_AMD, "amdgpu");
  addCard(machine, "card2", AMD, "amdgpu");
  const indexes = new CardIndexes(new Tree(machine.root));
  const numbers = new Map(order.map((pci) => [pci, indexes.of(pci)]));
  expect([AMD, SECOND_AMD, INTEL].map((pci) => numbers.get(pci))).toEqual([0, 1, 2]);
});

test("after those that NVIDIA's driver numbers, now or once it is loaded, but not those of other drivers", () => {
  using machine = openMachine(null);
  addNvidia(machine, "0000:01:00.0", "nvidia");
  addNvidia(machine, "0000:41:00.0", null);
  addNvidia(machine, "0000:81:00.0", "vfio-pci");
  machine.write("/sys/bus/pci/drivers/nvidia/new_id", "");
  addCard(machine, "card0", AMD, "amdgpu");
  expect(new CardIndexes(new Tree(machine.root)).of(AMD)).toBe(2);
});

test("a card keeps its number; one that comes later gets the next that nobody had", () => {
  using machine = openMachine(null);
  addCard(machine, "card0", SECOND_AMD, "amdgpu");
  addCard(machine, "card1", THIRD_AMD, "amdgpu");
  const indexes = new CardIndexes(new Tree(machine.root));
  expect([indexes.of(SECOND_AMD), indexes.of(THIRD_AMD)]).toEqual([0, 1]);
  addCard(machine, "card2", AMD, "amdgpu");
  addNvidia(machine, "0000:01:00.0", "nvidia");
  expect([indexes.of(AMD), indexes.of(SECOND_AMD), indexes.of(THIRD_AMD)]).toEqual([2, 0, 1]);
});
