import type { Gpu } from "../../../../frame/schema.ts";
import { knownText, plausible } from "../../../plausible.ts";
import { type Device, FIRST, SECOND } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import { architectureName, brandName } from "./words.ts";

/** What a card is: read once. */
export interface Identity {
  readonly name: string;
  readonly coreCount: number | null;
  readonly numaNode: number | null;
  readonly gspMode: number | null;
  readonly gspVersion: string | null;
  readonly thresholds: Pick<
    Gpu,
    | "temperature_threshold_slowdown"
    | "temperature_threshold_shutdown"
    | "temperature_threshold_max_operating"
    | "temperature_threshold_acoustic"
  >;
  readonly clocksMax: { readonly sm: number | null; readonly memory: number | null; readonly video: number | null };
  readonly detail: Readonly<Record<string, string>>;
}

const NAME_BYTES = 96;
const VBIOS_BYTES = 32;
const GSP_VERSION_BYTES = 64;

/** nvmlTemperatureThresholds_t. */
const SHUTDOWN = 0;
const SLOWDOWN = 1;
const GPU_MAX = 3;
const ACOUSTIC_CURRENT = 5;

/** nvmlClockType_t. */
export const GRAPHICS_CLOCK = 0;
export const SM_CLOCK = 1;
export const MEMORY_CLOCK = 2;
export const VIDEO_CLOCK = 3;

export function readIdentity(device: Device, driverDetail: Readonly<Record<string, string>>): Identity {
  const threshold = (which: number) =>
    plausible("limit_celsius", device.unsignedOf("nvmlDeviceGetTemperatureThreshold", which));
  const clockMax = (which: number) => plausible("megahertz_max", device.unsignedOf("nvmlDeviceGetMaxClockInfo", which));
  const clocksMax = { sm: clockMax(SM_CLOCK), memory: clockMax(MEMORY_CLOCK), video: clockMax(VIDEO_CLOCK) };
  return {
    name: device.text("nvmlDeviceGetName", NAME_BYTES) ?? "",
    coreCount: plausible("cores", device.unsigned("nvmlDeviceGetNumGpuCores")),
    numaNode: readNumaNode(device),
    gspMode: readGspMode(device),
    gspVersion: readGspVersion(device),
    thresholds: {
      temperature_threshold_slowdown: threshold(SLOWDOWN),
      temperature_threshold_shutdown: threshold(SHUTDOWN),
      temperature_threshold_max_operating: threshold(GPU_MAX),
      temperature_threshold_acoustic: threshold(ACOUSTIC_CURRENT),
    },
    clocksMax,
    detail: readDetail(device, driverDetail, clocksMax.memory),
  };
}

/** As the kernel writes it, `""` where it is not known; the library's own text has eight digits of domain. */
export function readPciAddress(device: Device): string {
  const { nvmlPciInfo_t: layout } = LAYOUTS;
  if (!device.reads("nvmlDeviceGetPciInfo_v3", 0, device.out.address)) return "";
  const hex = (offset: number, digits: number) => device.out.u32(offset).toString(16).padStart(digits, "0");
  return `${hex(layout.domain, 4)}:${hex(layout.bus, 2)}:${hex(layout.device, 2)}.0`;
}

const NODE_SCOPE = 0;

/** The node that the card is, as on a superchip, or else the one that it is attached to. */
function readNumaNode(device: Device): number | null {
  const own = plausible("numa_node", device.unsigned("nvmlDeviceGetNumaNodeId"));
  if (own !== null) return own;
  if (!device.reads("nvmlDeviceGetMemoryAffinity", 0, 1, device.out.address, NODE_SCOPE)) return null;
  const nodes = device.out.u64(FIRST);
  const node = Math.log2(nodes);
  return Number.isInteger(node) ? node : null;
}

/** Off, on, or as it is by default: {@link Identity.gspMode} knows no others. */
const GSP_MODES = 2;

function readGspMode(device: Device): number | null {
  const mode = device.pair("nvmlDeviceGetGspFirmwareMode");
  return mode === null || mode > GSP_MODES ? null : mode;
}

function readGspVersion(device: Device): string | null {
  if (!device.reads("nvmlDeviceGetGspFirmwareVersion", 0, device.out.address)) return null;
  return device.out.text(0, GSP_VERSION_BYTES) || null;
}

function readDetail(
  device: Device,
  driverDetail: Readonly<Record<string, string>>,
  memoryClockMax: number | null,
): Identity["detail"] {
  const most = (name: "nvmlDeviceGetMaxCustomerBoostClock" | "nvmlDeviceGetMaxClockInfo", clock: number) =>
    plausible("megahertz_max", device.unsignedOf(name, clock));
  const boost = (clock: number) => most("nvmlDeviceGetMaxCustomerBoostClock", clock);
  const graphics = boost(GRAPHICS_CLOCK) ?? most("nvmlDeviceGetMaxClockInfo", GRAPHICS_CLOCK);
  return known({
    ...driverDetail,
    Brand: brandName(device.unsigned("nvmlDeviceGetBrand")),
    architecture: architectureName(device.unsigned("nvmlDeviceGetArchitecture")),
    compute_capability: readComputeCapability(device),
    clock_graphics_max: graphics,
    clock_memory_max: boost(MEMORY_CLOCK) ?? memoryClockMax,
    vbios_version: knownText(device.text("nvmlDeviceGetVbiosVersion", VBIOS_BYTES)),
  });
}

function readComputeCapability(device: Device): string | null {
  const major = device.pair("nvmlDeviceGetCudaComputeCapability");
  return major === null ? null : `${major}.${device.out.u32(SECOND)}`;
}

/** Labels of what is known. */
export function known(values: Readonly<Record<string, string | number | null>>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== null) labels[key] = String(value);
  }
  return labels;
}
