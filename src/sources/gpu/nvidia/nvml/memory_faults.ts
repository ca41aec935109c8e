import { plausible } from "../../../plausible.ts";
import { type Device, FIRST, FOURTH, SECOND, THIRD } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import { INSUFFICIENT_SIZE, SUCCESS } from "./returns.ts";
import { type Health, kept } from "./row.ts";

/** Memory that is not used any more, as it is bad: rows of newer cards, pages of older ones. */
export type MemoryFaults = Pick<Health, "remapped_rows" | "retired_pages" | "retired_pages_pending">;

const RETIRED = [FIELD.retired_corrected, FIELD.retired_uncorrected, FIELD.retired_pending];

/** nvmlPageRetirementCause_t. */
const MANY_CORRECTED_ERRORS = 0;
const UNCORRECTED_ERROR = 1;

export class MemoryFaultReader {
  readonly #device: Device;
  readonly #retired: FieldList;
  #rows: MemoryFaults["remapped_rows"] = null;

  constructor(device: Device) {
    this.#device = device;
    this.#retired = new FieldList(
      device,
      RETIRED.map((id) => ({ id, scope: 0 })),
    );
  }

  read(): MemoryFaults {
    const rows = readRemappedRows(this.#device);
    this.#rows = rows && kept(this.#rows, rows);
    this.#retired.read();
    const corrected = plausible("count", this.#retired.value(0)) ?? countRetired(this.#device, MANY_CORRECTED_ERRORS);
    const uncorrected = plausible("count", this.#retired.value(1)) ?? countRetired(this.#device, UNCORRECTED_ERROR);
    return {
      remapped_rows: this.#rows,
      retired_pages: corrected === null || uncorrected === null ? null : corrected + uncorrected,
      retired_pages_pending: plausible(
        "flag",
        this.#retired.value(2) ?? this.#device.unsigned("nvmlDeviceGetRetiredPagesPendingStatus"),
      ),
    };
  }
}

function readRemappedRows(device: Device): MemoryFaults["remapped_rows"] {
  const at = device.out.address;
  if (!device.reads("nvmlDeviceGetRemappedRows", 0, at, at + SECOND, at + THIRD, at + FOURTH)) return null;
  return {
    correctable: plausible("count", device.out.known32(FIRST)),
    uncorrectable: plausible("count", device.out.known32(SECOND)),
    pending: plausible("flag", device.out.known32(THIRD)),
    failure: plausible("flag", device.out.known32(FOURTH)),
  };
}

/** Without room for the pages' addresses there is an answer all the same: how many there are. */
function countRetired(device: Device, cause: number): number | null {
  const name = "nvmlDeviceGetRetiredPages_v2";
  device.out.setU32(FIRST, 0);
  const code = device.call(name, cause, cause, device.out.address, 0, 0);
  if (code === SUCCESS || code === INSUFFICIENT_SIZE) return plausible("count", device.out.u32(FIRST));
  device.tell(name, code);
  return null;
}
