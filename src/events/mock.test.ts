import { expect, test } from "bun:test";
import { frameOf, readAt, START_MS } from "../../test/mock.ts";
import { type Incident, type IncidentKind, IncidentSchedule, SLOT_S } from "../sources/mock/incidents.ts";
import { JobSchedule } from "../sources/mock/jobs.ts";
import { mockSource } from "../sources/mock/mock.ts";
import { Detector } from "./detector.ts";

/** What an incident shows as. `xid` comes with what a driver would log. */
const SHOWS_AS: Record<IncidentKind, readonly string[]> = {
  overheating: ["temperature begin", "temperature end", "throttle begin", "throttle end"],
  cliff: ["cliff begin", "cliff end"],
  power_limit: ["power begin", "power end"],
  gpu_lost: ["gpu_lost begin", "gpu_lost end", "xid once"],
  ecc: ["ecc begin", "ecc end"],
  link: ["link begin", "link end", "xid once"],
  host_lost: ["host_lost begin", "host_lost end"],
  reader_error: ["error begin", "error end"],
};

const HOUR_S = 3600;
/** An ending may be seen a minute late. */
const LATE_S = 61;

const name = (host: number): string => `mock-${String(host + 1).padStart(4, "0")}`;

function scheduled(seed: number, hosts: number, gpus: number): Incident[] {
  const schedule = new IncidentSchedule(seed, hosts, gpus, new JobSchedule(seed, gpus));
  const first = START_MS / 1000 / SLOT_S;
  return Array.from({ length: HOUR_S / SLOT_S }, (_, n) => schedule.inSlot(first + n)).filter((one) => one !== null);
}

test.each([
  [1, 1, 8],
  [7, 1, 2],
  [5, 3, 4],
])("an hour of the mock, seed %p, %px%p: its incidents, and nothing else", (seed, hosts, gpus) => {
  const include = ["gpus", "cpus", "memory", "chassis", "storage"] as const;
  const source = mockSource({ hosts, gpus, seed, include, perCore: false, cpus: 4 });
  const detector = new Detector({ interval_ms: 1000 });
  const unexplained = scheduled(seed, hosts, gpus).map((incident) => ({
    incident,
    left: [...SHOWS_AS[incident.kind]],
  }));
  for (let seq = 0; seq < HOUR_S; seq++) {
    const t_ms = START_MS + seq * 1000;
    for (const event of detector.add(frameOf(readAt(source, t_ms), t_ms), { seq, elapsed_ms: seq * 1000 })) {
      const shown = `${event.kind} ${event.state}`;
      const found = unexplained.find(
        ({ incident: { host, gpu, begin_s, end_s }, left }) =>
          left.includes(shown) &&
          event.host.startsWith(name(host)) &&
          event.device === (gpu === null ? null : `GPU ${gpu}`) &&
          t_ms / 1000 >= begin_s &&
          t_ms / 1000 <= end_s + LATE_S,
      );
      if (found === undefined) throw new Error(`a false alarm at ${seq}: ${JSON.stringify(event)}`);
      found.left.splice(found.left.indexOf(shown), 1);
    }
  }
  const last_s = START_MS / 1000 + HOUR_S - LATE_S;
  const missed = unexplained.filter(({ incident, left }) => left.length > 0 && incident.end_s < last_s);
  expect(missed).toEqual([]);
  expect(unexplained.length).toBeGreaterThan(40);
});
