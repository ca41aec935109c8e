import { SHARED_MEMORY } from "../../shared_memory.ts";
import { known } from "../nvml/identity.ts";
import type { GpuValues } from "./fields.ts";
import type { LogCard } from "./log.ts";

/** What stands about a card in its `detail`, in the words that it has where the driver's library is read. */
export function detailOf(values: GpuValues, log: LogCard | null, cuda_version: string | null): Record<string, string> {
  const { pcie_width, mig_mode, mig_mode_pending, ecc_mode, ecc_mode_pending } = values;
  return known({
    "Driver Version": values.driver_version,
    "CUDA Version": cuda_version,
    lib_name: cuda_version === null ? null : "CUDA",
    lib_version: cuda_version,
    Brand: brandOf(log?.brand ?? null),
    architecture: log?.architecture?.split(" ")[0] ?? null,
    compute_capability: values.compute_capability,
    clock_graphics_max: log?.clock_boost_max ?? values.clock_graphics_max,
    clock_memory_max: values.clock_memory_max,
    vbios_version: values.vbios_version,
    memory: sharesMemory(values) ? SHARED_MEMORY : null,
    "PCIe Generation": values.pcie_generation,
    "PCIe Width": pcie_width === null ? null : `x${pcie_width}`,
    pcie_gen_max: values.pcie_generation_max,
    pcie_width_max: values.pcie_width_max,
    compute_mode: values.compute_mode?.replace("_", "") ?? null,
    persistence_mode: values.persistence_mode,
    power_limit_current: watts(values.power_limit_w),
    power_limit_default: watts(values.power_limit_default_w),
    power_limit_min: watts(values.power_limit_min_w),
    power_limit_max: watts(values.power_limit_max_w),
    ecc_mode_current: ecc_mode,
    ecc_mode_pending: ecc_mode_pending === ecc_mode ? null : ecc_mode_pending,
    mig_mode_current: mig_mode,
    mig_mode_pending: mig_mode_pending === mig_mode ? null : mig_mode_pending,
  });
}

/** A card that works, and has no memory, uses the machine's; one in MIG mode may not tell whoever has but an instance. */
const sharesMemory = ({ total_memory, mig_mode, temperature, power_w, clock_sm }: GpuValues): boolean =>
  total_memory === 0 && mig_mode !== 1 && (temperature ?? power_w ?? clock_sm) !== null;

/** `NVIDIA RTX` as the library's enumeration has it: `NvidiaRTX`. */
const brandOf = (brand: string | null): string | null => brand?.replace("NVIDIA", "Nvidia").replaceAll(" ", "") ?? null;

const watts = (value: number | null): string | null => value?.toFixed(2) ?? null;
