import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { gpuFields } from "../frame/schema.ts";
import {
  knownId,
  knownPartition,
  knownText,
  plausible,
  plausibleWhole,
  type Quantity,
  quantityOf,
} from "./plausible.ts";

const TOPS = [0x7fffffff, 0x7ffffff0, 0xffffffff, 0xfffffff0, 2 ** 63, 2 ** 64, Number.MAX_VALUE];
const QUANTITIES: readonly Quantity[] = [
  ...(["chip_celsius", "limit_celsius", "air_celsius", "percent", "fan_percent", "watts", "machine_watts"] as const),
  ...(["supply_watts", "megahertz", "megahertz_max", "rpm", "bytes", "memory_size", "count", "flag", "cores"] as const),
  ...(["pcie_generation", "pcie_width", "performance_state", "numa_node", "partition", "amount", "ratio"] as const),
];

describe("numbers", () => {
  test("the top of a type is nothing, whatever unit it is in", () => {
    for (const quantity of QUANTITIES) {
      for (const scale of [1, 1000, 1e6]) {
        for (const raw of TOPS) expect([quantity, raw, plausible(quantity, raw, scale)]).toEqual([quantity, raw, null]);
      }
      expect(plausible(quantity, null)).toBeNull();
      expect(plausible(quantity, undefined)).toBeNull();
      expect(plausible(quantity, Number.NaN)).toBeNull();
      expect(plausible(quantity, Number.POSITIVE_INFINITY)).toBeNull();
      expect(plausible(quantity, -273.15)).toBeNull();
    }
  });

  test("the top of 16 bits is none of what 16 bits are used for", () => {
    const small = ["chip_celsius", "percent", "watts", "megahertz", "rpm", "count", "pcie_width"] as const;
    for (const quantity of small) for (const raw of [0x7fff, 0xffff]) expect(plausible(quantity, raw)).toBeNull();
    expect(plausible("bytes", 65_535)).toBe(65_535);
    expect(plausible("amount", 65_535)).toBe(65_535);
  });

  test("a zero that can be one stays", () => {
    for (const quantity of [
      "percent",
      "fan_percent",
      "megahertz",
      "rpm",
      "bytes",
      "count",
      "flag",
      "air_celsius",
    ] as const)
      expect(plausible(quantity, 0)).toBe(0);
    for (const quantity of ["chip_celsius", "watts", "memory_size", "megahertz_max", "pcie_width", "cores"] as const)
      expect(plausible(quantity, 0)).toBeNull();
  });

  test("air is cold in winter, chips are not", () => {
    expect(plausible("air_celsius", -4000, 1000)).toBe(-4);
    expect(plausible("chip_celsius", -4000, 1000)).toBeNull();
    expect(plausible("air_celsius", -128)).toBeNull();
    expect(plausible("chip_celsius", 127)).toBeNull();
    expect(plausible("chip_celsius", 126)).toBe(126);
  });

  test("in the frame's unit, whole where that is wanted", () => {
    expect(plausible("watts", 60_250_000, 1e6)).toBe(60.25);
    expect(plausibleWhole("megahertz", 1_499_600_000, 1e6)).toBe(1500);
  });

  test("what is plausible is as it was", () => {
    fc.assert(
      fc.property(fc.constantFrom(...QUANTITIES), fc.double(), (quantity, raw) => {
        expect([raw, null]).toContain(plausible(quantity, raw));
      }),
    );
  });
});

test("what a key of a frame holds", () => {
  expect(quantityOf("temperature", gpuFields.temperature)).toBe("chip_celsius");
  expect(quantityOf("temperature_threshold_slowdown", gpuFields.temperature_threshold_slowdown)).toBe("limit_celsius");
  expect(quantityOf("utilization", gpuFields.utilization)).toBe("percent");
  expect(quantityOf("name", gpuFields.name)).toBeNull();
});

test("words that say nothing", () => {
  for (const text of [
    "",
    " ",
    "N/A",
    "[N/A]",
    "[Not Supported]",
    "none",
    "None",
    "Unknown",
    "not available",
    "(null)",
    null,
  ])
    expect(knownText(text)).toBeNull();
  for (const text of ["Disabled", "0", "NVIDIA A", "nonesuch"]) expect(knownText(text)).toBe(text);
  for (const text of ["none", "Disabled", "N/A", "4294967295", "0"]) expect(knownPartition(text)).toBeNull();
  expect(knownPartition("SPX")).toBe("SPX");
});

test("ids of zeros or ones alone are none", () => {
  const none = [
    "0",
    "00000000-0000-0000-0000-000000000000",
    "GPU-00000000-0000-0000-0000-000000000000",
    "0x0000000000000000",
  ];
  for (const id of [...none, "ffffffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "N/A", "GPU-", ""]) {
    expect(knownId(id)).toBeNull();
  }
  for (const id of ["GPU-00000000-0000-0000-0000-000000000001", "946d7e1ef9b172dd", "0000:03:00.0"]) {
    expect(knownId(id)).toBe(id);
  }
});
