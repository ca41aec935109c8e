import { expect, test } from "bun:test";
import facts from "../../../../../test/fixtures/nvml/layouts.json";
import { FIELD } from "./fields.ts";
import { GPM } from "./gpm.ts";
import { LAYOUTS, versionWord } from "./layouts.ts";
import * as returns from "./returns.ts";

type Layout = Readonly<Record<string, number>>;
interface Structure {
  readonly size: number;
  readonly fields: Readonly<Record<string, number>>;
}

const structures: Readonly<Record<string, Structure>> = facts.structures;
const constants: Readonly<Record<string, number>> = facts.constants;

/** The entry of the oldest process lists, which the binding does not have: the first two fields of the next one. */
const BEFORE_THE_BINDING = ["nvmlProcessInfo_v1_t"];

test("sizes and offsets are those of NVIDIA's Python binding", () => {
  const compared: string[] = [];
  for (const [name, layout] of Object.entries(LAYOUTS) as [string, Layout][]) {
    if (BEFORE_THE_BINDING.includes(name)) continue;
    const structure = structures[name];
    const { size, ...offsets } = layout;
    expect({ name, size, offsets }).toEqual({
      name,
      size: structure?.size ?? -1,
      offsets: Object.fromEntries(Object.keys(offsets).map((field) => [field, structure?.fields[field] ?? -1])),
    });
    compared.push(name);
  }
  expect(compared.sort()).toEqual(Object.keys(structures).sort());
});

test("the entry of the oldest process lists is the beginning of the next one", () => {
  const { size, ...offsets } = LAYOUTS.nvmlProcessInfo_v1_t;
  expect(structures.nvmlProcessInfo_v2_t?.fields).toMatchObject(offsets);
  expect(size).toBe(LAYOUTS.nvmlProcessInfo_v2_t.gpuInstanceId);
});

test("version words", () => {
  expect(versionWord(LAYOUTS.nvmlMemory_v2_t, 2)).toBe(constants.nvmlMemory_v2 ?? -1);
  expect(versionWord(LAYOUTS.nvmlTemperature_v1_t, 1)).toBe(constants.nvmlTemperature_v1 ?? -1);
  expect(versionWord(LAYOUTS.nvmlFanSpeedInfo_v1_t, 1)).toBe(constants.nvmlFanSpeedInfo_v1 ?? -1);
});

const NVML_NAMES: Readonly<Record<keyof typeof FIELD, string>> = {
  ecc_corrected_volatile: "ECC_SBE_VOL_TOTAL",
  ecc_uncorrected_volatile: "ECC_DBE_VOL_TOTAL",
  ecc_corrected_aggregate: "ECC_SBE_AGG_TOTAL",
  ecc_uncorrected_aggregate: "ECC_DBE_AGG_TOTAL",
  retired_corrected: "RETIRED_SBE",
  retired_uncorrected: "RETIRED_DBE",
  retired_pending: "RETIRED_PENDING",
  memory_temperature: "MEMORY_TEMP",
  nvlink_count: "NVLINK_LINK_COUNT",
  pcie_replays: "PCIE_REPLAY_COUNTER",
  nvlink_replay_errors: "NVLINK_ERROR_DL_REPLAY",
  nvlink_recovery_errors: "NVLINK_ERROR_DL_RECOVERY",
  nvlink_crc_errors: "NVLINK_ERROR_DL_CRC",
  nvlink_speed: "NVLINK_GET_SPEED",
  nvlink_state: "NVLINK_GET_STATE",
  pcie_tx_bytes: "PCIE_COUNT_TX_BYTES",
  pcie_rx_bytes: "PCIE_COUNT_RX_BYTES",
  nvlink5_recovery_events: "NVLINK_COUNT_LINK_RECOVERY_EVENTS",
};

test("field ids", () => {
  for (const [key, id] of Object.entries(FIELD)) {
    const expected = constants[`NVML_FI_DEV_${NVML_NAMES[key as keyof typeof FIELD]}`] ?? -1;
    expect<[string, number]>([key, id]).toEqual([key, expected]);
  }
});

test("metric ids", () => {
  expect<number[]>(Object.values(GPM)).toEqual(
    ["GRAPHICS_UTIL", "SM_OCCUPANCY", "ANY_TENSOR_UTIL", "DRAM_BW_UTIL"].map(
      (name) => constants[`NVML_GPM_METRIC_${name}`] ?? -1,
    ),
  );
});

test("return codes", () => {
  for (const [name, code] of Object.entries(returns)) {
    if (typeof code !== "number") continue;
    const full = name === "SUCCESS" ? "NVML_SUCCESS" : `NVML_ERROR_${name}`;
    expect([name, code]).toEqual([name, constants[full] ?? -1]);
  }
});
