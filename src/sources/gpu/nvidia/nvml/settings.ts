import { type Device, FIRST, FOURTH, SECOND, THIRD } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import { known } from "./identity.ts";
import type { Health } from "./row.ts";
import { computeModeName, enabledName } from "./words.ts";

/** What changes seldom: read at a slower beat. */
export interface Settings {
  readonly isMig: boolean;
  readonly pcie: { readonly generationMax: number | null; readonly widthMax: number | null };
  readonly health: Pick<Health, "remapped_rows" | "retired_pages" | "retired_pages_pending">;
  readonly detail: Readonly<Record<string, string>>;
}

const RETIRED = [FIELD.retired_corrected, FIELD.retired_uncorrected, FIELD.retired_pending];

export class SettingsReader {
  readonly #device: Device;
  readonly #retired: FieldList;

  constructor(device: Device) {
    this.#device = device;
    this.#retired = new FieldList(
      device,
      RETIRED.map((id) => ({ id, scope: 0 })),
    );
  }

  read(): Settings {
    const device = this.#device;
    const mig = modes(device, "nvmlDeviceGetMigMode");
    const ecc = modes(device, "nvmlDeviceGetEccMode");
    const generation = device.unsigned("nvmlDeviceGetCurrPcieLinkGeneration");
    const width = device.unsigned("nvmlDeviceGetCurrPcieLinkWidth");
    const generationMax = device.unsigned("nvmlDeviceGetMaxPcieLinkGeneration");
    const widthMax = device.unsigned("nvmlDeviceGetMaxPcieLinkWidth");
    return {
      isMig: mig.current === 1,
      pcie: { generationMax, widthMax },
      health: { remapped_rows: readRemappedRows(device), ...this.#readRetiredPages() },
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

  #readRetiredPages(): Pick<Health, "retired_pages" | "retired_pages_pending"> {
    this.#retired.read();
    const corrected = this.#retired.value(0);
    const uncorrected = this.#retired.value(1);
    return {
      retired_pages: corrected === null || uncorrected === null ? null : corrected + uncorrected,
      retired_pages_pending: this.#retired.value(2),
    };
  }
}

function modes(
  device: Device,
  name: "nvmlDeviceGetMigMode" | "nvmlDeviceGetEccMode",
): { readonly current: number | null; readonly pending: number | null } {
  const current = device.pair(name);
  return { current, pending: current === null ? null : device.out.u32(SECOND) };
}

function readPowerLimits(device: Device): Record<string, string | null> {
  const watts = (mw: number | null) => (mw === null ? null : (mw / 1000).toFixed(2));
  const current = device.unsigned("nvmlDeviceGetEnforcedPowerLimit");
  const standard = device.unsigned("nvmlDeviceGetPowerManagementDefaultLimit");
  const least = device.pair("nvmlDeviceGetPowerManagementLimitConstraints");
  const most = least === null ? null : device.out.u32(SECOND);
  return {
    power_limit_current: watts(current),
    power_limit_default: watts(standard),
    power_limit_min: watts(least),
    power_limit_max: watts(most),
  };
}

function readRemappedRows(device: Device): Health["remapped_rows"] {
  const at = device.out.address;
  if (!device.reads("nvmlDeviceGetRemappedRows", 0, at, at + SECOND, at + THIRD, at + FOURTH)) return null;
  return {
    correctable: device.out.u32(FIRST),
    uncorrectable: device.out.u32(SECOND),
    pending: device.out.u32(THIRD),
    failure: device.out.u32(FOURTH),
  };
}
