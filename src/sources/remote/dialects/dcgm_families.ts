import { gpuFields } from "../../../frame/schema.ts";
import { type Setter, settersOf } from "../paths.ts";
import { gpuPlaces } from "./gpu_places.ts";

/** DCGM's fields of a GPU that a frame has a place for. DCGM has MHz, °C, W, % and bytes per second, ratios in PROF. */
export const GPU_VALUES = gpuPlaces(
  {
    DCGM_FI_DEV_GPU_TEMP: "temperature",
    DCGM_FI_DEV_SLOWDOWN_TEMP: "temperature_threshold_slowdown",
    DCGM_FI_DEV_SHUTDOWN_TEMP: "temperature_threshold_shutdown",
    DCGM_FI_DEV_GPU_MAX_OP_TEMP: "temperature_threshold_max_operating",
    DCGM_FI_DEV_PSTATE: "performance_state",
    DCGM_FI_DEV_SM_CLOCK: "health.clocks.sm",
    DCGM_FI_DEV_MAX_SM_CLOCK: "health.clocks.sm_max",
    DCGM_FI_DEV_MEM_CLOCK: "health.clocks.memory",
    DCGM_FI_DEV_MAX_MEM_CLOCK: "health.clocks.memory_max",
    DCGM_FI_DEV_VIDEO_CLOCK: "health.clocks.video",
    DCGM_FI_DEV_MAX_VIDEO_CLOCK: "health.clocks.video_max",
    DCGM_FI_DEV_MEMORY_TEMP: "health.memory_temperature",
    DCGM_FI_DEV_FAN_SPEED: "health.fan_percent",
    DCGM_FI_DEV_PCIE_REPLAY_COUNTER: "health.pcie.replays",
    DCGM_FI_DEV_PCIE_LINK_GEN: "health.pcie.generation",
    DCGM_FI_DEV_PCIE_MAX_LINK_GEN: "health.pcie.generation_max",
    DCGM_FI_DEV_PCIE_LINK_WIDTH: "health.pcie.width",
    DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH: "health.pcie.width_max",
    DCGM_FI_DEV_ECC_SBE_VOL_TOTAL: "health.ecc.corrected_volatile",
    DCGM_FI_DEV_ECC_DBE_VOL_TOTAL: "health.ecc.uncorrected_volatile",
    DCGM_FI_DEV_ECC_SBE_AGG_TOTAL: "health.ecc.corrected_aggregate",
    DCGM_FI_DEV_ECC_DBE_AGG_TOTAL: "health.ecc.uncorrected_aggregate",
    DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS: "health.remapped_rows.correctable",
    DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS: "health.remapped_rows.uncorrectable",
    DCGM_FI_DEV_ROW_REMAP_PENDING: "health.remapped_rows.pending",
    DCGM_FI_DEV_ROW_REMAP_FAILURE: "health.remapped_rows.failure",
    DCGM_FI_DEV_RETIRED_PENDING: "health.retired_pages_pending",
  },
  {
    power_consumption: ["DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_POWER_USAGE_INSTANT"],
    "health.power_limit_watts": ["DCGM_FI_DEV_ENFORCED_POWER_LIMIT", "DCGM_FI_DEV_POWER_MGMT_LIMIT"],
  },
);

/** What a MIG instance has of its own: of it this is no value of the card. */
export const ACTIVITIES = gpuPlaces(
  {
    DCGM_FI_DEV_MEM_COPY_UTIL: "health.memory_utilization",
    DCGM_FI_DEV_ENC_UTIL: "health.encoder",
    DCGM_FI_DEV_DEC_UTIL: "health.decoder",
    DCGM_FI_PROF_PIPE_TENSOR_ACTIVE: ["tensorcore_utilization", 100],
    DCGM_FI_PROF_SM_OCCUPANCY: "gpm_metrics.sm_occupancy",
    DCGM_FI_PROF_DRAM_ACTIVE: "gpm_metrics.memory_bandwidth_utilization",
    DCGM_FI_PROF_NVJPG0_ACTIVE: ["health.jpeg", 100],
    DCGM_FI_PROF_NVOFA0_ACTIVE: ["health.ofa", 100],
  },
  {
    utilization: ["DCGM_FI_DEV_GPU_UTIL", ["DCGM_FI_PROF_GR_ENGINE_ACTIVE", 100]],
    // The older fields are in KB/s, as NVML has them.
    "health.pcie.rx_bytes_per_second": ["DCGM_FI_PROF_PCIE_RX_BYTES", ["DCGM_FI_DEV_PCIE_RX_THROUGHPUT", 1000]],
    "health.pcie.tx_bytes_per_second": ["DCGM_FI_PROF_PCIE_TX_BYTES", ["DCGM_FI_DEV_PCIE_TX_THROUGHPUT", 1000]],
  },
);

/** A mask as NVML has it, under the field's old and new name. */
export const REASON_MASKS: ReadonlySet<string> = new Set([
  "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
  "DCGM_FI_DEV_CLOCKS_THROTTLE_REASONS",
  "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
  "DCGM_FI_DEV_CLOCK_EVENT_REASONS",
]);

/** The exporter's names for the reasons of `DCGM_EXP_CLOCK_EVENTS_COUNT`. */
export const CLOCK_EVENTS: ReadonlyMap<string, string> = new Map([
  ["power_cap", "power"],
  ["hw_slowdown", "hardware"],
  ["sync_boost", "sync"],
  ["sw_thermal", "thermal"],
  ["hw_thermal", "thermal"],
  ["hw_power_brake", "power_brake"],
  ["clocks_setting", "application"],
]);

export interface FrameBuffer {
  used?: number;
  free?: number;
  reserved?: number;
  total?: number;
}

/** Frame buffer in MiB. There is no total by default: the parts make it up. */
export const FRAME_BUFFER: ReadonlyMap<string, keyof FrameBuffer> = new Map<string, keyof FrameBuffer>([
  ["DCGM_FI_DEV_FB_USED", "used"],
  ["DCGM_FI_DEV_FB_FREE", "free"],
  ["DCGM_FI_DEV_FB_RESERVED", "reserved"],
  ["DCGM_FI_DEV_FB_TOTAL", "total"],
]);

export const RETIRED: ReadonlyMap<string, "single_bit" | "double_bit"> = new Map([
  ["DCGM_FI_DEV_RETIRED_SBE", "single_bit"],
  ["DCGM_FI_DEV_RETIRED_DBE", "double_bit"],
]);

/** Watts that a frame keeps as text. */
export const LIMITS: ReadonlyMap<string, string> = new Map([
  ["DCGM_FI_DEV_POWER_MGMT_LIMIT_MIN", "power_limit_min"],
  ["DCGM_FI_DEV_POWER_MGMT_LIMIT_MAX", "power_limit_max"],
  ["DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF", "power_limit_default"],
]);

/** Fields of kind `label` are labels of every series. */
export const DETAIL_LABELS: readonly (readonly [label: string, key: string])[] = [
  ["DCGM_FI_DRIVER_VERSION", "Driver Version"],
  ["DCGM_FI_DEV_BRAND", "Brand"],
  ["DCGM_FI_DEV_SERIAL", "serial_number"],
  ["DCGM_FI_DEV_VBIOS_VERSION", "vbios_version"],
  ["pci_bus_id", "pci_bus_id"],
];

const LINK_FIELDS = gpuFields.health.fields?.nvlink?.fields ?? {};

/** Counters of one link: `DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_L3`. NVML's own counter of CRC errors is that of flits. */
export const LINK_FAMILY = /^DCGM_FI_DEV_NVLINK_(CRC_FLIT|REPLAY|RECOVERY)_ERROR_COUNT_L(\d{1,2})$/;
export const LINK_VALUES: ReadonlyMap<string, Setter> = settersOf(LINK_FIELDS, {
  CRC_FLIT: "crc_errors",
  REPLAY: "replay_errors",
  RECOVERY: "recovery_errors",
});

/** Names that version 1 of the exporter gave. */
const OLD_NAMES = new Map([
  ["dcgm_sm_clock", "DCGM_FI_DEV_SM_CLOCK"],
  ["dcgm_memory_clock", "DCGM_FI_DEV_MEM_CLOCK"],
  ["dcgm_memory_temp", "DCGM_FI_DEV_MEMORY_TEMP"],
  ["dcgm_gpu_temp", "DCGM_FI_DEV_GPU_TEMP"],
  ["dcgm_power_usage", "DCGM_FI_DEV_POWER_USAGE"],
  ["dcgm_pcie_tx_throughput", "DCGM_FI_DEV_PCIE_TX_THROUGHPUT"],
  ["dcgm_pcie_rx_throughput", "DCGM_FI_DEV_PCIE_RX_THROUGHPUT"],
  ["dcgm_pcie_replay_counter", "DCGM_FI_DEV_PCIE_REPLAY_COUNTER"],
  ["dcgm_gpu_utilization", "DCGM_FI_DEV_GPU_UTIL"],
  ["dcgm_mem_copy_utilization", "DCGM_FI_DEV_MEM_COPY_UTIL"],
  ["dcgm_enc_utilization", "DCGM_FI_DEV_ENC_UTIL"],
  ["dcgm_dec_utilization", "DCGM_FI_DEV_DEC_UTIL"],
  ["dcgm_xid_errors", "DCGM_FI_DEV_XID_ERRORS"],
  ["dcgm_fb_free", "DCGM_FI_DEV_FB_FREE"],
  ["dcgm_fb_used", "DCGM_FI_DEV_FB_USED"],
  ["dcgm_ecc_sbe_volatile_total", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"],
  ["dcgm_ecc_dbe_volatile_total", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"],
  ["dcgm_ecc_sbe_aggregate_total", "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL"],
  ["dcgm_ecc_dbe_aggregate_total", "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL"],
  ["dcgm_retired_pages_sbe", "DCGM_FI_DEV_RETIRED_SBE"],
  ["dcgm_retired_pages_dbe", "DCGM_FI_DEV_RETIRED_DBE"],
  ["dcgm_retired_pages_pending", "DCGM_FI_DEV_RETIRED_PENDING"],
]);

/** The field's own name. */
export const fieldOf = (family: string): string => OLD_NAMES.get(family) ?? family;
