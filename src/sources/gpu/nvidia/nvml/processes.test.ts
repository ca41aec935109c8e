import { expect, test } from "bun:test";
import { Bench } from "../../../../../test/nvml.ts";

test("more processes than there was room for are all there", () => {
  using bench = new Bench("h100", "* processes 300");
  const { processes, errors } = bench.read();
  expect(processes).toHaveLength(303);
  expect(errors).toEqual([]);
});

test("a list longer than any can be is not read, and said to be so", () => {
  using bench = new Bench("h100", "* processes 70000");
  const { processes, errors } = bench.read();
  expect(processes).toEqual([]);
  expect(errors).toEqual(["GPU 0: the buffer is too small (3 calls, nvmlDeviceGetComputeRunningProcesses_v3 first)"]);
});

test("a process whose memory the driver does not tell", () => {
  using bench = new Bench("h100", "* no_processes", "* process 5 C - 3");
  expect(bench.read().processes).toEqual([
    { pid: 5, uuid: "GPU-00000000-0000-0000-0000-000000000000", used_memory: null, utilization: 3 },
  ]);
});

for (const [first, second] of [
  ["300", "-"],
  ["-", "300"],
]) {
  test(`of a process in two MIG instances that use ${first} and ${second} MiB, a part is not told as the whole`, () => {
    using bench = new Bench("h100_mig", `* process 77 C ${first} - 0`, `* process 77 C ${second} - 1`);
    const { processes } = bench.read();
    expect(processes.find(({ pid }) => pid === 77)).toMatchObject({ used_memory: null });
  });
}
