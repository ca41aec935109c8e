import type { Gpu } from "../../../../frame/schema.ts";
import { pciAddress } from "../../registry.ts";
import type { NvidiaCard } from "../card.ts";
import { unknownRow } from "../nvml/row.ts";
import { throttleNames } from "../nvml/words.ts";
import { detailOf } from "./detail.ts";
import type { GpuValues } from "./fields.ts";
import type { ListedInstance } from "./list.ts";
import type { Log, LogCard } from "./log.ts";

type Health = NonNullable<Gpu["health"]>;
type Instances = NonNullable<Gpu["mig"]>;

/** What is told of the cards beside the rows of the query, at a slower beat. */
export interface Beside {
  readonly log: Log | null;
  /** By the card's UUID; of a card that is not in there, it is not known which it has. */
  readonly instances: ReadonlyMap<string, readonly ListedInstance[]>;
}

/** A card, by what a row of the query said of it. */
export function cardOf(values: GpuValues, beside: Beside): NvidiaCard {
  const pci = pciAddress(values.pci ?? "") ?? "";
  const log = beside.log?.cards.get(pci) ?? null;
  const detail = detailOf(values, log, beside.log?.cuda_version ?? null);
  const mig = values.mig_mode === 1 ? instancesOf(beside.instances.get(values.uuid ?? ""), log) : null;
  return { pci, lost: null, row: { ...rowOf(values, log), detail, mig, health: healthOf(values, log) } };
}

/** What is still told of a card that does not answer. */
type Place = Partial<Pick<GpuValues, "uuid" | "name" | "index" | "pci">>;

/** A card that does not answer any more; what it is is known from before, or from its place. */
export function lostCard(reason: string, before: NvidiaCard | null, place: Place): NvidiaCard {
  const pci = before?.pci ?? pciAddress(place.pci ?? "") ?? "";
  const { uuid, name, index } = before?.row ?? place;
  const { total_memory = null, detail = {} } = before?.row ?? {};
  const row = { ...unknownRow(uuid ?? pci, index ?? null), name: name ?? "", total_memory, detail };
  return { pci, lost: reason, row };
}

function rowOf(values: GpuValues, log: LogCard | null): NvidiaCard["row"] {
  return {
    ...unknownRow(values.uuid ?? "", values.index),
    name: values.name ?? "",
    utilization: values.utilization,
    temperature: values.temperature,
    used_memory: values.total_memory ? values.used_memory : null,
    total_memory: values.total_memory || null,
    // Where the key has 0 it is unknown.
    frequency: values.clock_graphics || null,
    power_consumption: values.power_w,
    temperature_threshold_slowdown: log?.slowdown_c ?? null,
    temperature_threshold_shutdown: log?.shutdown_c ?? null,
    temperature_threshold_max_operating: log?.max_operating_c ?? null,
    temperature_threshold_acoustic: log?.target_c ?? null,
    performance_state: values.performance_state,
    gsp_firmware_mode: values.gsp_mode,
    gsp_firmware_version: log?.gsp_version ?? null,
  };
}

function healthOf(values: GpuValues, log: LogCard | null): Health {
  return {
    throttle: values.throttle === null ? null : throttleNames(values.throttle),
    power_limit_watts: values.power_limit_w,
    memory_temperature: values.memory_temperature,
    memory_utilization: values.total_memory ? values.memory_utilization : null,
    fan_percent: values.fan_percent,
    ecc: anyOf({
      corrected_volatile: values.corrected_volatile,
      uncorrected_volatile: values.uncorrected_volatile,
      corrected_aggregate: values.corrected_aggregate,
      uncorrected_aggregate: values.uncorrected_aggregate,
    }),
    remapped_rows: anyOf({
      correctable: values.remapped_correctable,
      uncorrectable: values.remapped_uncorrectable,
      pending: values.remapped_pending,
      failure: values.remapped_failure,
    }),
    retired_pages: sumOf(values.retired_single_bit, values.retired_double_bit),
    retired_pages_pending: values.retired_pending,
    pcie: anyOf({
      generation: values.pcie_generation,
      generation_max: values.pcie_generation_max,
      width: values.pcie_width,
      width_max: values.pcie_width_max,
      replays: log?.replays ?? null,
      rx_bytes_per_second: null,
      tx_bytes_per_second: null,
    }),
    clocks: anyOf({
      sm: values.clock_sm,
      sm_max: values.clock_sm_max,
      memory: values.clock_memory,
      memory_max: values.clock_memory_max,
      video: values.clock_video,
      video_max: log?.clock_video_max ?? null,
    }),
    encoder: values.encoder,
    decoder: values.decoder,
    jpeg: values.jpeg,
    ofa: values.ofa,
  };
}

/** No card has more: seven parts, each in seven at most. */
const MOST_INSTANCES = 49;

/** `null`: not known. Of a list that has none, while the log has some, nothing was understood. */
function instancesOf(listed: readonly ListedInstance[] | undefined, log: LogCard | null): Instances | null {
  if (listed === undefined || (listed.length === 0 && log !== null && log.instances.length > 0)) return null;
  return listed.slice(0, MOST_INSTANCES).map(({ device, uuid, profile }) => {
    const logged = log?.instances.find((one) => one.device === device);
    return {
      gpu_instance: logged?.gpu_instance ?? null,
      compute_instance: logged?.compute_instance ?? null,
      uuid,
      profile,
      used_memory: logged?.used_memory ?? null,
      total_memory: logged?.total_memory ?? null,
      utilization: null,
    };
  });
}

/** Nothing, where nothing of it is known. */
function anyOf<T extends object>(values: T): T | null {
  return Object.values(values).some((value) => value !== null) ? values : null;
}

function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
