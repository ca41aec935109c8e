import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Incident, IncidentSchedule, SLOT_S } from "./incidents.ts";
import { JobSchedule, ROUND_S } from "./jobs.ts";

const FIRST_ROUND = 2_900_000;
const SLOTS = ROUND_S / SLOT_S;

const scheduleOf = (seed: number, hosts: number, gpus: number) => {
  const jobs = new JobSchedule(seed, gpus);
  return { jobs, incidents: new IncidentSchedule(seed, hosts, gpus, jobs) };
};

function inRounds(incidents: IncidentSchedule, rounds: number): Incident[] {
  return Array.from({ length: rounds * SLOTS }, (_, i) => incidents.inSlot(FIRST_ROUND * SLOTS + i)).filter(
    (incident) => incident !== null,
  );
}

const anyCluster = fc.record({
  seed: fc.integer(),
  hosts: fc.integer({ min: 1, max: 5 }),
  gpus: fc.integer({ min: 1, max: 9 }),
});

describe("the schedule of incidents", () => {
  test("a round of a cluster holds every kind once", () => {
    for (let seed = 0; seed < 20; seed++) {
      const kinds = inRounds(scheduleOf(seed, 4, 8).incidents, 1).map((incident) => incident.kind);
      expect(kinds.toSorted()).toEqual([
        "cliff",
        "ecc",
        "gpu_lost",
        "host_lost",
        "link",
        "overheating",
        "power_limit",
        "reader_error",
      ]);
    }
  });

  test("any three minutes see at least two begin, on the smallest machine too", () => {
    fc.assert(
      fc.property(anyCluster, fc.integer({ min: 0, max: 6000 }), ({ seed, hosts, gpus }, offset_s) => {
        const { incidents } = scheduleOf(seed, hosts, gpus);
        const from_s = FIRST_ROUND * ROUND_S + offset_s;
        const seen = new Set<Incident>();
        for (let t_s = from_s; t_s < from_s + 180; t_s++) {
          const incident = incidents.at(t_s);
          if (incident !== null && incident.begin_s > from_s) seen.add(incident);
        }
        expect(seen.size).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  test("each is over before its slot is", () => {
    const { incidents } = scheduleOf(5, 3, 8);
    for (const { begin_s, end_s } of inRounds(incidents, 40)) {
      expect(Math.floor(begin_s / SLOT_S)).toBe(Math.floor((end_s - 1) / SLOT_S));
      expect(incidents.at(begin_s - 1)).toBeNull();
      expect(incidents.at(begin_s)).not.toBeNull();
      expect(incidents.at(end_s)).toBeNull();
    }
  });

  test("what needs load hits a GPU that has trained for a minute", () => {
    fc.assert(
      fc.property(anyCluster, ({ seed, hosts, gpus }) => {
        const { jobs, incidents } = scheduleOf(seed, hosts, gpus);
        const loaded = inRounds(incidents, 6).filter((one) => /overheating|cliff|power_limit/.test(one.kind));
        expect(loaded).toHaveLength(18);
        for (const { host, gpu, begin_s, end_s } of loaded) {
          const job = jobs.at(host, gpu as number, begin_s);
          expect(job?.kind).toBe("training");
          expect(begin_s - (job?.begin_s ?? 0)).toBeGreaterThan(90);
          expect(jobs.at(host, gpu as number, end_s)).toEqual(job);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("without GPUs only hosts and readers fail", () => {
    const kinds = inRounds(scheduleOf(1, 2, 0).incidents, 5).map((incident) => incident.kind);
    expect(new Set(kinds)).toEqual(new Set(["host_lost", "reader_error"]));
  });

  test("turns count what one would count by looking at every slot", () => {
    fc.assert(
      fc.property(anyCluster, fc.constantFrom("ecc" as const, "link" as const), ({ seed, hosts, gpus }, kind) => {
        const { incidents } = scheduleOf(seed, hosts, gpus);
        const from_s = FIRST_ROUND * ROUND_S;
        const all = inRounds(incidents, 60).filter((incident) => incident.kind === kind);
        for (const until_s of [from_s + 1, from_s + 7_000, from_s + 60 * ROUND_S - 1]) {
          const counted = all.filter((one) => one.host === 0 && one.gpu === gpus - 1 && one.begin_s <= until_s).length;
          const before = incidents.turns(kind, 0, gpus - 1, from_s);
          expect(incidents.turns(kind, 0, gpus - 1, until_s) - before).toBe(counted);
        }
      }),
      { numRuns: 30 },
    );
  });
});
