import { expect, test } from "bun:test";
import { findInDatabase, marketingName, withMaker } from "./product_names.ts";

test("numbers of parts, and what stands in a name's place, are no names", () => {
  const boards = [
    "P1001-B01",
    "PG506-230",
    "PG133",
    "Tesla PG503-216",
    "NVIDIA Tesla PG503-216",
    "NVIDIA PG506-232",
    "900-21001-0000-000",
    "p3737-0000+p3701-0000",
  ];
  const amd = ["102-G30211-00", "113-D65201-046", "D65201", "C88001", "0x0c34", "0x74a1", "1002:74a1"];
  for (const text of [...boards, ...amd, "NVIDIA Graphics Device", "Device 2330", "<<<NULL>>>", "N/A", "", null]) {
    expect([text, marketingName(text)]).toEqual([text, null]);
  }
});

test("names stay as they are", () => {
  const nvidia = [
    "NVIDIA A100-SXM4-80GB",
    "NVIDIA A100",
    "A100",
    "NVIDIA B200",
    "Tesla P100-PCIE-16GB",
    "NVIDIA GB10",
    "NVIDIA L4",
  ];
  const older = [
    "Quadro P1000",
    "NVIDIA T400 4GB",
    "NVIDIA H100 80GB HBM3",
    "NVIDIA GH200 480GB",
    "NVIDIA A",
    "P100",
    "GRID A100-10C",
  ];
  const amd = [
    "AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2",
    "Instinct MI210",
    "AMD Radeon RX 7900 XT",
    "Radeon R9 FURY X",
  ];
  for (const text of [...nvidia, ...older, ...amd, "Intel Arc B580", "NVIDIA Jetson AGX Orin Developer Kit"]) {
    expect(marketingName(text)).toBe(text);
  }
  expect(marketingName("Navi 31 [Radeon Pro W7900 Dual Slot]")).toBe("Radeon Pro W7900 Dual Slot");
  expect(marketingName("Arcturus GL-XL [AMD Instinct MI100]")).toBe("AMD Instinct MI100");
  expect(withMaker("AMD", "Radeon R9 FURY X")).toBe("AMD Radeon R9 FURY X");
  expect(withMaker("AMD", "AMD Instinct MI100")).toBe("AMD Instinct MI100");
});

test("the PCI database", () => {
  const database =
    "# comment\n1002  AMD/ATI\n\t744c  Navi 31 [Radeon RX 7900 XT]\n\t\t1002 0e3b  Board\n\t20b5  not NVIDIA's\n" +
    "10de  NVIDIA Corporation\n\t20b5  GA100 [A100 PCIe 80GB]\n\t\t10de 1533  NVIDIA A100\nffff  Illegal\n";
  expect(findInDatabase(database, "10de", "20b5")).toBe("GA100 [A100 PCIe 80GB]");
  expect(findInDatabase(database, "1002", "744c")).toBe("Navi 31 [Radeon RX 7900 XT]");
  expect(findInDatabase(database, "10de", "744c")).toBeNull();
  expect(findInDatabase(database, "8086", "744c")).toBeNull();
  expect(findInDatabase("", "8086", "744c")).toBeNull();
});
