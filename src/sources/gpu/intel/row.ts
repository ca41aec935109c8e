import type { Gpu } from "../../../frame/schema.ts";
import type { HostIdentity } from "../../source.ts";
import { UNKNOWN } from "../unknown.ts";
import type { IntelCard } from "./card.ts";
import type { FastReading, SlowReading } from "./readings.ts";
import type { CardUse } from "./uses.ts";

/** What a cycle knows of one card; `null`: not read, as the card does not answer, or sleeps. */
export interface Readings {
  readonly fast: FastReading | null;
  readonly slow: SlowReading | null;
  readonly power_w: number | null;
  readonly use: CardUse;
  readonly isSuspended: boolean;
}

export function rowOf(card: IntelCard, readings: Readings, host: HostIdentity, time: string): Gpu {
  const { fast, slow, use } = readings;
  return {
    uuid: card.uuid,
    time,
    name: card.title,
    device_type: "GPU",
    ...host,
    index: card.index,
    ...UNKNOWN,
    utilization: use.utilization,
    temperature: fast?.temperature ?? null,
    used_memory: use.used_memory,
    total_memory: card.memory_total,
    // Where the key has 0 it is unknown.
    frequency: awake(fast?.clock_mhz) || null,
    power_consumption: readings.power_w,
    temperature_threshold_slowdown: slow?.slowdown ?? null,
    temperature_threshold_shutdown: slow?.shutdown ?? null,
    fan_speed_rpm: fast?.fan_rpm ?? null,
    numa_node_id: card.numa_node,
    detail: detailOf(card, readings),
    health: fast === null && slow === null ? null : healthOf(card, readings),
  };
}

/** A frame has no clock of 0 MHz. */
const awake = (mhz: number | null | undefined): number | null => mhz || null;

function detailOf(card: IntelCard, { slow, isSuspended }: Readings): Record<string, string> {
  const detail: Record<string, string> = { ...card.detail };
  const limit_w = slow?.power_limit_default_w ?? null;
  if (limit_w !== null) detail.power_limit_default = limit_w.toFixed(2);
  if (isSuspended) detail.power_state = "suspended";
  return detail;
}

function healthOf({ isIntegrated }: IntelCard, { fast, slow }: Readings): NonNullable<Gpu["health"]> {
  const link = isIntegrated ? null : (slow?.link ?? null);
  return {
    throttle: fast?.throttle == null ? null : [...fast.throttle],
    power_limit_watts: slow?.power_limit_w ?? null,
    memory_temperature: fast?.memory_temperature ?? null,
    pcie: link === null ? null : { ...link, replays: null, rx_bytes_per_second: null, tx_bytes_per_second: null },
    clocks: {
      sm: awake(fast?.clock_mhz),
      sm_max: awake(slow?.clock_max_mhz),
      memory: null,
      memory_max: null,
      video: awake(fast?.media_mhz),
      video_max: awake(slow?.media_max_mhz),
    },
  };
}
