import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hasDriver, hasHardware, mayHaveCards } from "./presence.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-presence-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A root with these files. */
function machine(name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries({ "/etc/hostname": name, ...files })) {
    const file = join(folder, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(folder, name);
}

const pci = (address: string, vendor: string, type: string) => ({
  [`/sys/bus/pci/devices/${address}/vendor`]: `${vendor}\n`,
  [`/sys/bus/pci/devices/${address}/class`]: `${type}\n`,
});

test.skipIf(Boolean(process.env.ALL_SMI_NVML))("cards are looked for where the driver has left a sign", () => {
  expect(mayHaveCards(machine("none", {}))).toBe(false);
  expect(mayHaveCards(machine("library", { "/usr/lib64/libnvidia-ml.so.1": "" }))).toBe(false);
  for (const sign of ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"]) {
    expect([sign, mayHaveCards(machine(`sign${sign.replaceAll("/", "_")}`, { [sign]: "" }))]).toEqual([sign, true]);
  }
});

test("a card on the PCI bus is seen without a driver; its sound device and other vendors' cards are none", () => {
  expect(hasHardware(machine("empty", {}))).toBe(false);
  expect(hasHardware(machine("sound", pci("0000:01:00.1", "0x10de", "0x040300")))).toBe(false);
  expect(hasHardware(machine("amd", pci("0000:03:00.0", "0x1002", "0x030000")))).toBe(false);
  const torn = { "/sys/bus/pci/devices/0000:00:00.0/vendor": "0x10de\n" };
  expect(hasHardware(machine("torn", torn))).toBe(false);
  expect(hasHardware(machine("h100", { ...torn, ...pci("0000:06:00.0", "0x10de", "0x030200") }))).toBe(true);
  expect(hasHardware(machine("geforce", pci("0000:01:00.0", "0x10de", "0x030000")))).toBe(true);
});

test("the driver is seen by what it makes, not by the card on the PCI bus", () => {
  expect(hasDriver(machine("bus", pci("0000:06:00.0", "0x10de", "0x030200")))).toBe(false);
  expect(hasDriver(machine("around", { "/proc/driver/nvidia/version": "" }))).toBe(false);
  expect(hasDriver(machine("handed-in", { "/dev/nvidiactl": "" }))).toBe(true);
});
