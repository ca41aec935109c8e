import type { Gpu } from "../../../frame/schema.ts";
import type { HostIdentity } from "../../source.ts";
import { SHARED_MEMORY } from "../shared_memory.ts";
import { UNKNOWN } from "../unknown.ts";
import { type AmdCard, withoutUnknown } from "./card.ts";
import type { FastReading } from "./fast.ts";
import type { XgmiLinks } from "./metrics_parts.ts";
import type { SlowReading } from "./slow.ts";

type Health = NonNullable<Gpu["health"]>;

/** What was read of a card in this cycle; `null`: it has not answered, or it is asleep. */
export interface Readings {
  readonly fast: FastReading | null;
  readonly slow: SlowReading | null;
  readonly throttle: readonly string[] | null;
  readonly isSuspended: boolean;
}

/**
 * A card that draws on the machine's own memory has no fan and no hot spot of its own; the driver says its part of it
 * that is set aside as VRAM and the rest that it can take as GTT.
 */
export function sharesMemory({ sensors, vram_total }: AmdCard, fast: FastReading | null): boolean {
  if (vram_total === 0) return true;
  const format = fast?.metrics?.version[0];
  return format === undefined ? sensors.hotspot === null && sensors.fan_rpm === null : format !== "1";
}

export function rowOf(card: AmdCard, readings: Readings, host: HostIdentity, time: string): Gpu {
  const { fast, slow } = readings;
  const isShared = sharesMemory(card, fast);
  const partitions = partitionsOf(readings);
  return {
    uuid: card.uuid,
    time,
    name: card.title,
    device_type: "GPU",
    ...host,
    index: card.index,
    ...UNKNOWN,
    utilization: fast?.busy ?? null,
    temperature: fast?.edge ?? fast?.hotspot ?? null,
    used_memory: isShared ? together(fast?.vram_used, fast?.gtt_used) : (fast?.vram_used ?? null),
    total_memory: isShared ? together(card.vram_total, card.gtt_total) : card.vram_total,
    // Where the key has 0 it is unknown: that a clock stands is told by `health.clocks`.
    frequency: fast?.gfxclk_mhz || null,
    power_consumption: fast?.power_w ?? null,
    temperature_threshold_slowdown: slow?.slowdown ?? null,
    temperature_threshold_shutdown: slow?.shutdown ?? null,
    fan_speed_rpm: fast?.fan_rpm ?? null,
    numa_node_id: card.numa_node,
    detail: detailOf(card, readings, isShared),
    ...(partitions !== null && { mig: partitions }),
    health: fast === null && slow === null ? null : healthOf(readings),
  };
}

const together = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a == null || b == null ? null : a + b;

function detailOf(card: AmdCard, { fast, slow, isSuspended }: Readings, isShared: boolean): Record<string, string> {
  return {
    ...card.detail,
    ...slow?.power_range,
    ...withoutUnknown({
      power_state: isSuspended ? "suspended" : null,
      memory: isShared ? `${SHARED_MEMORY}: VRAM and GTT` : null,
      compute_partition: slow?.compute_partition ?? null,
      memory_partition: slow?.memory_partition ?? null,
      corrected_errors_in: slow?.corrected_in ?? null,
      uncorrected_errors_in: slow?.uncorrected_in ?? null,
      ...xgmiDetail(fast?.metrics?.xgmi ?? null),
      metrics_version: fast?.metrics?.version ?? null,
    }),
  };
}

function xgmiDetail(xgmi: XgmiLinks | null): Record<string, string | null> {
  const text = (value: number | null | undefined): string | null => (value == null ? null : String(value));
  return {
    xgmi_link_width: text(xgmi?.width),
    xgmi_link_gbps: text(xgmi?.gbps),
    xgmi_links: xgmi?.active == null ? null : `${xgmi.active} of ${xgmi.known} active`,
  };
}

/** The nearest that there is to MIG instances: parts of the card that compute for themselves. */
function partitionsOf({ fast, slow }: Readings): NonNullable<Gpu["mig"]> | null {
  const profile = slow?.compute_partition ?? "";
  const unknown = { compute_instance: null, uuid: "", used_memory: null, total_memory: null };
  const partitions = fast?.metrics?.partitions ?? null;
  return partitions?.map((utilization, n) => ({ ...unknown, gpu_instance: n, profile, utilization })) ?? null;
}

function healthOf({ fast, slow, throttle }: Readings): Health {
  return {
    throttle: throttle === null ? null : [...throttle],
    power_limit_watts: slow?.power_cap_w ?? null,
    memory_temperature: fast?.memory ?? null,
    hotspot_temperature: fast?.hotspot ?? null,
    memory_utilization: fast?.memory_busy ?? null,
    fan_percent: fast?.fan_percent ?? null,
    ecc: slow === null || slow.corrected === null ? null : eccOf(slow),
    retired_pages: slow?.retired_pages ?? null,
    retired_pages_pending: slow === null || slow.pending_pages === null ? null : Math.min(1, slow.pending_pages),
    pcie: {
      generation: fast?.metrics?.link_generation ?? slow?.link.generation ?? null,
      generation_max: slow?.link.generation_max ?? null,
      width: fast?.metrics?.link_width ?? slow?.link.width ?? null,
      width_max: slow?.link.width_max ?? null,
      replays: slow?.replays ?? null,
      rx_bytes_per_second: null,
      tx_bytes_per_second: null,
    },
    clocks: {
      sm: fast?.gfxclk_mhz ?? null,
      sm_max: slow?.gfxclk_max_mhz ?? null,
      memory: fast?.uclk_mhz ?? null,
      memory_max: slow?.uclk_max_mhz ?? null,
      video: fast?.metrics?.vclk ?? null,
      video_max: slow?.vclk_max_mhz ?? null,
    },
  };
}

const eccOf = ({ corrected, uncorrected }: SlowReading): NonNullable<Health["ecc"]> => ({
  corrected_volatile: corrected,
  uncorrected_volatile: uncorrected,
  corrected_aggregate: null,
  uncorrected_aggregate: null,
});
