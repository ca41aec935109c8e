import { expect, test } from "bun:test";
import { Bench } from "../../../../../test/nvml.ts";

const MIB = 1024 ** 2;
const H100 = "GPU-00000000-0000-0000-0000-000000000000";

const H100_MEMORY = [
  [11327, 2566 * MIB],
  [11328, 1542 * MIB],
  [11345, 15690 * MIB],
];

function read(bench: Bench, ...exclude: readonly string[]) {
  for (const entry of exclude) bench.exclude.add(entry);
  const { cards, processes, errors } = bench.read();
  return { row: cards[0]?.row, processes, errors, memory: processes.map(({ pid, used_memory }) => [pid, used_memory]) };
}

for (const suffix of ["", `@${H100}`]) {
  test(`what processes use of a GPU is unknown where it is not asked for${suffix}`, () => {
    using bench = new Bench("h100");
    const { processes, memory, errors } = read(bench, `nvmlDeviceGetProcessUtilization${suffix}`);
    expect(processes.map(({ utilization }) => utilization)).toEqual([null, null, null]);
    expect({ memory, errors }).toEqual({ memory: H100_MEMORY, errors: [] });
  });
}

test("a list of processes that is not asked for has an older one in its place", () => {
  using bench = new Bench("h100");
  const { memory, errors } = read(bench, "nvmlDeviceGetComputeRunningProcesses_v3");
  expect({ memory, errors }).toEqual({ memory: H100_MEMORY, errors: [] });
  expect(bench.calls).toContain(`nvmlDeviceGetComputeRunningProcesses_v2 ${H100}`);
});

for (const name of ["nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex"]) {
  test(`MIG instances that are not asked for by ${name} are unknown, and the card lists the processes`, () => {
    using bench = new Bench("h100_mig");
    const { row, processes, errors } = read(bench, name);
    expect(row?.mig).toBeNull();
    expect(processes.map(({ pid }) => pid).sort()).toEqual([21180, 21181, 21198]);
    expect(errors).toEqual([]);
  });

  test(`MIG instances that were known stay known without ${name}`, () => {
    using bench = new Bench("h100_mig");
    const before = read(bench).memory;
    bench.now_ms += 10_000;
    const { row, memory } = read(bench, name);
    expect(row?.mig).toHaveLength(4);
    expect(memory).toEqual(before);
  });
}
