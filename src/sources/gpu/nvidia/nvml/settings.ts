import { plausible } from "../../../plausible.ts";
import { type Device, SECOND } from "./device.ts";
import { readPowerLimit } from "./gauges.ts";
import { known } from "./identity.ts";
import { computeModeName, enabledName } from "./words.ts";

/** What changes seldom: read at a slower beat. */
export interface Settings {
  readonly pcie: { readonly generationMax: number | null; readonly widthMax: number | null };
  readonly detail: Readonly<Record<string, string>>;
}

/** A mode that the card is in and the one that it will be in after a reset. */
export interface Modes {
  readonly current: number | null;
  readonly pending: number | null;
}

export function readSettings(device: Device, mig: Modes): Settings {
  const ecc = modes(device, "nvmlDeviceGetEccMode");
  const generation = plausible("pcie_generation", device.unsigned("nvmlDeviceGetCurrPcieLinkGeneration"));
  const width = plausible("pcie_width", device.unsigned("nvmlDeviceGetCurrPcieLinkWidth"));
  const generationMax = plausible("pcie_generation", device.unsigned("nvmlDeviceGetMaxPcieLinkGeneration"));
  const widthMax = plausible("pcie_width", device.unsigned("nvmlDeviceGetMaxPcieLinkWidth"));
  return {
    pcie: { generationMax, widthMax },
    detail: known({
      "PCIe Generation": generation,
      "PCIe Width": width === null ? null : `x${width}`,
      pcie_gen_max: generationMax,
      pcie_width_max: widthMax,
      compute_mode: computeModeName(device.unsigned("nvmlDeviceGetComputeMode")),
      persistence_mode: enabledName(device.unsigned("nvmlDeviceGetPersistenceMode")),
      ...readPowerLimits(device),
      ecc_mode_current: enabledName(ecc.current),
      ecc_mode_pending: ecc.pending === ecc.current ? null : enabledName(ecc.pending),
      mig_mode_current: mig.current,
      mig_mode_pending: mig.pending === mig.current ? null : mig.pending,
    }),
  };
}

export const readMigMode = (device: Device): Modes => modes(device, "nvmlDeviceGetMigMode");

function modes(device: Device, name: "nvmlDeviceGetMigMode" | "nvmlDeviceGetEccMode"): Modes {
  const current = device.pair(name);
  return { current, pending: current === null ? null : device.out.known32(SECOND) };
}

function readPowerLimits(device: Device): Record<string, string | null> {
  const watts = (mw: number | null) => plausible("watts", mw, 1000)?.toFixed(2) ?? null;
  const standard = device.unsigned("nvmlDeviceGetPowerManagementDefaultLimit");
  const least = device.pair("nvmlDeviceGetPowerManagementLimitConstraints");
  const most = least === null ? null : device.out.known32(SECOND);
  return {
    power_limit_current: readPowerLimit(device)?.toFixed(2) ?? null,
    power_limit_default: watts(standard),
    power_limit_min: watts(least),
    power_limit_max: watts(most),
  };
}
