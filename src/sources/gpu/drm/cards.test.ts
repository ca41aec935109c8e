import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { type Machine, openMachine } from "../../../../test/fixtures/machines/make.ts";
import { Tree } from "../../local/files.ts";
import { findCards, isPresent, isSuspended } from "./cards.ts";
import { linkFolder, parseLinkSpeed, parseLinkWidth, readLink } from "./pcie.ts";

const SWITCH = ["0000:00:01.1", "0000:01:00.0", "0000:02:00.0", "0000:03:00.0"];

function link(machine: Machine, file: string, target: string): void {
  mkdirSync(dirname(machine.root + file), { recursive: true });
  symlinkSync(target, machine.root + file);
}

/** A card as sysfs shows it: the device in its place on the buses, links to it elsewhere. */
function addCard(
  machine: Machine,
  name: string,
  path: readonly string[],
  files: Record<string, string>,
  driver = "amdgpu",
) {
  const own = path.at(-1) ?? "";
  const place = `devices/pci0000:00/${path.join("/")}`;
  for (const [file, text] of Object.entries(files)) machine.write(`/sys/${place}/${file}`, `${text}\n`);
  link(machine, `/sys/${place}/driver`, `../../bus/pci/drivers/${driver}`);
  link(machine, `/sys/${place}/drm/${name}/device`, `../../../${own}`);
  link(machine, `/sys/class/drm/${name}`, `../../${place}/drm/${name}`);
}

function addBridge(
  machine: Machine,
  path: readonly string[],
  vendor: string,
  device: string,
  files: Record<string, string>,
) {
  const place = `devices/pci0000:00/${path.join("/")}`;
  for (const [file, text] of Object.entries({ vendor, device, ...files }))
    machine.write(`/sys/${place}/${file}`, `${text}\n`);
  link(machine, `/sys/bus/pci/devices/${path.at(-1)}`, `../../../${place}`);
}

const XTX = { vendor: "0x1002", device: "0x744c", revision: "0xc8", numa_node: "-1", subsystem_vendor: "0x1da2" };

test("the cards of a driver, by PCI address", () => {
  using machine = openMachine(null);
  addCard(machine, "card1", SWITCH, { ...XTX, subsystem_device: "0x471e", "drm/renderD129/dev": "226:129" });
  addCard(machine, "card0", ["0000:00:08.1", "0000:00:08.2"], { vendor: "0x1002", device: "0x1681", numa_node: "1" });
  addCard(machine, "card2", ["0000:00:02.0"], { vendor: "0x8086", device: "0x9a49" }, "i915");
  machine.write("/sys/class/drm/card1-DP-1/status", "connected\n");
  machine.write("/sys/class/drm/version", "drm 1.1.0 20060810\n");
  const tree = new Tree(machine.root);
  const [apu, xtx, ...more] = findCards(tree, ["amdgpu"]);
  expect(more).toEqual([]);
  expect(xtx).toEqual({
    name: "card1",
    pci: "0000:03:00.0",
    folder: "/sys/class/drm/card1/device/",
    device: "744c",
    subsystem: "1da2:471e",
    revision: "c8",
    driver: "amdgpu",
    render: "renderD129",
    numa_node: null,
    path: SWITCH,
  });
  expect(apu).toMatchObject({ name: "card0", subsystem: null, revision: null, render: null, numa_node: 1 });
  expect(tree.finish("", {})).toEqual({});
});

test("a card whose PCI ids cannot be read is the driver's all the same", () => {
  using machine = openMachine(null);
  addCard(machine, "card0", SWITCH, { device: "" });
  expect(findCards(new Tree(machine.root), ["amdgpu"])).toMatchObject([{ pci: "0000:03:00.0", device: null }]);
});

test("a card's number that another one has now is not that card", () => {
  using machine = openMachine(null);
  addCard(machine, "card0", SWITCH, XTX);
  const tree = new Tree(machine.root);
  const [card] = findCards(tree, ["amdgpu"]);
  if (card === undefined) throw new Error("no card");
  expect([isPresent(tree, card), isSuspended(tree, card)]).toEqual([true, false]);
  machine.write("/sys/class/drm/card0/device/power/runtime_status", "suspended\n");
  expect(isSuspended(tree, card)).toBe(true);
  machine.write("/sys/class/drm/card0", null);
  expect(isPresent(tree, card)).toBe(false);
  addCard(machine, "card0", ["0000:04:00.0"], XTX);
  expect(isPresent(tree, card)).toBe(false);
});

test("a card with a switch: its link is the one to the slot, not that to its own switch", async () => {
  using machine = openMachine(null);
  const fast = { current_link_speed: "16.0 GT/s PCIe", max_link_speed: "16.0 GT/s PCIe" };
  addCard(machine, "card0", SWITCH, { ...XTX, ...fast, current_link_width: "16", max_link_width: "16" });
  const slot = {
    current_link_speed: "8.0 GT/s PCIe",
    max_link_speed: "16.0 GT/s PCIe",
    current_link_width: "8",
    max_link_width: "16",
  };
  addBridge(machine, SWITCH.slice(0, 1), "0x1022", "0x14db", {});
  addBridge(machine, SWITCH.slice(0, 2), "0x1002", "0x1478", slot);
  addBridge(machine, SWITCH.slice(0, 3), "0x1002", "0x1479", fast);
  const tree = new Tree(machine.root);
  const [card] = findCards(tree, ["amdgpu"]);
  if (card === undefined) throw new Error("no card");
  const linkOf = (ports: string[]) => readLink(tree, linkFolder(tree, card, ports));
  expect(await linkOf(["1002:1478", "1002:1479"])).toEqual({
    generation: 3,
    generation_max: 4,
    width: 8,
    width_max: 16,
  });
  expect(await linkOf([])).toEqual({ generation: 4, generation_max: 4, width: 16, width_max: 16 });
});

test("link speeds and widths as the kernel writes them", () => {
  const speeds = ["2.5 GT/s PCIe", "5.0 GT/s PCIe", "8 GT/s", "16.0 GT/s PCIe", "32.0 GT/s PCIe", "64.0 GT/s PCIe"];
  expect(speeds.map(parseLinkSpeed)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(["Unknown", "", null, "16", "7 GT/s"].map(parseLinkSpeed)).toEqual([null, null, null, null, null]);
  expect(["16", "1", "0", "63", "255", null].map(parseLinkWidth)).toEqual([16, 1, null, null, null, null]);
});
