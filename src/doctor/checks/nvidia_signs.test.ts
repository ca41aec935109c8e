import { describe, expect, test } from "bun:test";
import { findingsOf, machineOf, pciTree, type Tree } from "../../../test/doctor.ts";
import { mayHaveCards } from "../../sources/gpu/nvidia/presence.ts";
import { nvidiaAccessChecks } from "./nvidia_access.ts";
import { nvidiaDriverChecks } from "./nvidia_driver.ts";
import { nvidiaReadingChecks } from "./nvidia_readings.ts";

const CHECKS = [...nvidiaDriverChecks, ...nvidiaAccessChecks];
const LIBRARY: Tree = { "/usr/lib64/libnvidia-ml.so.1": "" };
const SMI: Tree = { "/usr/local/nvidia/bin/nvidia-smi": "" };
const CONTROL: Tree = { "/dev/nvidiactl": "" };

async function found(tree: Tree, denied: Readonly<Record<string, string>> = {}): Promise<string[]> {
  using machine = machineOf(tree, { denied });
  return await findingsOf(CHECKS, machine);
}

const SMI_FOUND = "ok nvidia-smi: /usr/local/nvidia/bin/nvidia-smi, for where the library cannot be loaded";
const NO_SMI = "absent nvidia-smi: not on PATH: needed only where the library cannot be loaded";
const OF_DEVICE = "note cards: the driver's /dev/nvidiactl is there, and no card is on the PCI bus";
const NO_LIBRARY = "libnvidia-ml.so.1 is in none of the usual folders";

describe("the driver's device, and nothing else of it", () => {
  test("with its library, with nvidia-smi, and with neither", async () => {
    const devices = "ok devices: /dev/nvidiactl can be opened";
    expect(await found({ ...CONTROL, ...LIBRARY })).toEqual([
      ...[OF_DEVICE, devices, "ok library: /usr/lib64/libnvidia-ml.so.1", NO_SMI],
    ]);
    expect(await found({ ...CONTROL, ...SMI })).toEqual([
      ...[OF_DEVICE, devices, `note library: ${NO_LIBRARY}: nvidia-smi is asked, which tells less`, SMI_FOUND],
    ]);
    expect(await found(CONTROL)).toEqual([OF_DEVICE, devices, `problem library: ${NO_LIBRARY}`, NO_SMI]);
  });

  test("whether it, and those of cards, may be opened", async () => {
    const tree = { ...CONTROL, "/dev/nvidia0": "", "/dev/nvidia1": "", "/dev/nvidia-uvm": "" };
    expect(await found(tree)).toContain("ok devices: /dev/nvidiactl and 2 of cards can be opened");
    expect(await found(tree, { "/dev/nvidia1": "EACCES" })).toContain(
      "problem devices: /dev/nvidia1 may not be opened by user 1000",
    );
    expect(await found(tree, { "/dev/nvidiactl": "EPERM" })).toContain(
      "problem devices: the control group of this process forbids /dev/nvidiactl",
    );
  });

  test.skipIf(mayHaveCards(""))("that nothing can ask it is a problem, in the reader's words", async () => {
    using machine = machineOf(CONTROL);
    expect(await findingsOf(nvidiaReadingChecks, machine)).toEqual([
      "problem readings: the driver is there, but neither its library nor nvidia-smi was found",
    ]);
  });
});

test.each(["/dev/nvidia0", "/proc/driver/nvidia/params", "/dev/nvgpu/igpu0/ctrl", "/dev/nvhost-ctrl-gpu"])(
  "the reader goes by %s, too",
  async (sign) => {
    expect(await found({ [sign]: "" })).toEqual([
      "note cards: no card on the PCI bus, no /dev/nvidiactl: the readings show whether there is one",
      NO_SMI,
    ]);
  },
);

test("Windows need not have a card of NVIDIA's, whatever its kernel is called", async () => {
  expect(await found({ "/dev/dxg": "" })).toEqual([
    ...["ok cards: GPUs of Windows, by /dev/dxg", `note library: ${NO_LIBRARY}`, NO_SMI],
  ]);
});

test("a card that the driver has, whose version is not to be seen", async () => {
  expect(await found({ ...pciTree("0000:06:00.0", "0x10de", "nvidia"), ...LIBRARY })).toEqual([
    ...["ok cards: 1 card on the PCI bus (0000:06:00.0)", "ok driver: is loaded, and does not tell its version"],
    ...["ok library: /usr/lib64/libnvidia-ml.so.1", NO_SMI],
  ]);
});

test.skipIf(Boolean(process.env.ALL_SMI_NVML))(
  "the library and nvidia-smi of a container speak for no card around it",
  async () => {
    expect(await found({ ...LIBRARY, ...SMI })).toEqual(["absent cards: no card on the PCI bus, no driver"]);
  },
);

test("what ALL_SMI_NVML names is asked, or else nvidia-smi", async () => {
  const env = { ALL_SMI_NVML: "/opt/libnvidia-ml.so" };
  using alone = machineOf({}, { env });
  const says = "note cards: no card on the PCI bus, no driver: only what ALL_SMI_NVML names is asked";
  expect(await findingsOf(nvidiaDriverChecks, alone)).toEqual([says]);
  using withSmi = machineOf(SMI, { env });
  expect(await findingsOf(nvidiaDriverChecks, withSmi)).toEqual([`${says}, or else nvidia-smi`]);
});
