/** What the mock source costs a cycle: CPU time, of which a benchmark of anything behind it has to be freed. */
import { mockSource } from "../src/sources/mock/mock.ts";

const CYCLES = 300;
const START_MS = Date.UTC(2026, 3, 18, 12);

const msOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

function cost(hosts: number, gpus: number, health: boolean, step_ms: number): string {
  const source = mockSource({ hosts, gpus, seed: 1, include: ["gpus", "cpus", "memory"], perCore: false, health });
  const signal = new AbortController().signal;
  const read = (i: number) => {
    const t_ms = START_MS + i * step_ms;
    source.read({ t_ms, time: "2026-04-18 12:00:00", monotonic_ms: t_ms, wait_ms: 800, signal });
  };
  for (let i = 0; i < CYCLES / 3; i++) read(i);
  const before = process.cpuUsage();
  for (let i = 0; i < CYCLES; i++) read(i + CYCLES);
  return `${(msOf(process.cpuUsage(before)) / CYCLES).toFixed(2)} ms`;
}

console.table(
  [1, 100].flatMap((hosts) =>
    [true, false].map((health) => ({
      mock: `${hosts}x8${health ? "" : ", no health"}`,
      "a cycle of 1 s": cost(hosts, 8, health, 1000),
      "a cycle of 3 s": cost(hosts, 8, health, 3000),
      "a jump of 1 h": cost(hosts, 8, health, 3_600_000),
    })),
  ),
);
