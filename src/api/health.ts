import { labelText } from "./labels.ts";
import { type FamilyHead, familyText, type Series } from "./prometheus.ts";
import { exporterLabels } from "./rows.ts";

/** How the cycle went that a frame is from. */
export interface CycleHealth {
  readonly duration_ms: number;
  readonly sources: readonly SourceHealth[];
}

export interface SourceHealth {
  readonly name: string;
  readonly duration_ms: number;
  /** It answered in time and could read everything. */
  readonly isComplete: boolean;
}

/** What was asked of the exporter since it was started. */
export interface ServiceCounts {
  /** By path and status. */
  readonly requests: readonly { readonly path: string; readonly status: number; readonly count: number }[];
  readonly eventClients: number;
  /** Frames that were not sent to event clients that did not keep up. */
  readonly framesDropped: number;
  /** Event clients that were disconnected since they took nothing. */
  readonly clientsDropped: number;
}

const seconds = (ms: number): number => Math.round(ms * 1000) / 1e6;

/** The exporter's families about its last cycle, which began at `t_ms`. */
export function cycleText(hostname: string, t_ms: number, { duration_ms, sources }: CycleHealth): string {
  const own = labelText(exporterLabels(hostname));
  const bySource = (value: (source: SourceHealth) => number): Series[] =>
    sources.map((source) => ({
      labels: labelText([...exporterLabels(hostname), ["source", source.name]]),
      value: value(source),
    }));
  return (
    familyText(CYCLE_TIMESTAMP, [{ labels: own, value: t_ms / 1000 }]) +
    familyText(CYCLE_DURATION, [{ labels: own, value: seconds(duration_ms) }]) +
    familyText(
      SOURCE_DURATION,
      bySource((source) => seconds(source.duration_ms)),
    ) +
    familyText(
      SOURCE_SUCCESS,
      bySource(({ isComplete }) => (isComplete ? 1 : 0)),
    )
  );
}

/** The exporter's families about those that ask it. */
export function serviceText(hostname: string, counts: ServiceCounts): string {
  const own = labelText(exporterLabels(hostname));
  const requests = counts.requests.map(({ path, status, count }) => ({
    labels: labelText([...exporterLabels(hostname), ["path", path], ["code", status]]),
    value: count,
  }));
  return (
    familyText(REQUESTS, requests) +
    familyText(EVENT_CLIENTS, [{ labels: own, value: counts.eventClients }]) +
    familyText(FRAMES_DROPPED, [{ labels: own, value: counts.framesDropped }]) +
    familyText(CLIENTS_DROPPED, [{ labels: own, value: counts.clientsDropped }])
  );
}

const gauge = (name: string, help: string): FamilyHead => ({ name, help, type: "gauge" });
const counter = (name: string, help: string): FamilyHead => ({ name, help, type: "counter" });

const CYCLE_TIMESTAMP = gauge("last_cycle_timestamp_seconds", "When the last collection cycle began, since the epoch");
const CYCLE_DURATION = gauge("last_cycle_duration_seconds", "Time the last collection cycle took");
const SOURCE_DURATION = gauge(
  "source_duration_seconds",
  "Time the source took to answer in the last cycle, or has been taking since it was asked",
);
const SOURCE_SUCCESS = gauge("source_success", "1 if the source answered in time and could read everything, else 0");
const REQUESTS = counter("http_requests_total", "Requests answered until this text was made, once a cycle");
const EVENT_CLIENTS = gauge("event_clients", "Clients connected to the event stream");
const FRAMES_DROPPED = counter("event_frames_dropped_total", "Frames not sent to event clients that did not keep up");
const CLIENTS_DROPPED = counter("event_clients_dropped_total", "Event clients disconnected as they took nothing");
