import type { GpuValues } from "./fields.ts";
import type { LogCard } from "./log.ts";

const PERFORMANCE_STATES =
  "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen".split(" ");

/** What stands about a card in its `detail`, as the Rust tool words it. */
export function detailOf(values: GpuValues, log: LogCard | null, cuda_version: string | null): Record<string, string> {
  const { performance_state, mig_mode, mig_mode_pending, ecc_mode, ecc_mode_pending, vbios_version } = values;
  return present({
    "Driver Version": values.driver_version,
    "CUDA Version": cuda_version,
    lib_name: cuda_version && "CUDA",
    lib_version: cuda_version,
    Brand: log?.brand ?? null,
    architecture: log?.architecture ?? null,
    compute_capability: values.compute_capability,
    "PCIe Generation": words(values.pcie_generation),
    "PCIe Width": values.pcie_width === null ? null : `x${values.pcie_width}`,
    pcie_gen_max: words(values.pcie_generation_max),
    pcie_width_max: words(values.pcie_width_max),
    persistence_mode: values.persistence_mode,
    compute_mode: values.compute_mode,
    performance_state: performance_state === null ? null : (PERFORMANCE_STATES[performance_state] ?? null),
    power_limit_current: watts(values.power_limit_w),
    power_limit_default: watts(values.power_limit_default_w),
    power_limit_min: watts(values.power_limit_min_w),
    power_limit_max: watts(values.power_limit_max_w),
    clock_graphics_max: words(values.clock_graphics_max),
    clock_memory_max: words(values.clock_memory_max),
    ecc_mode_current: ecc_mode,
    ecc_mode_pending: ecc_mode_pending === ecc_mode ? null : ecc_mode_pending,
    mig_mode_current: words(mig_mode),
    mig_mode_pending: mig_mode_pending === mig_mode ? null : words(mig_mode_pending),
    vbios_version: vbios_version === null ? null : `"${vbios_version}"`,
  });
}

const words = (value: number | null): string | null => (value === null ? null : String(value));

const watts = (value: number | null): string | null => (value === null ? null : value.toFixed(2));

function present(texts: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== null));
}
