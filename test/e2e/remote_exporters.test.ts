import { afterAll, expect, test } from "bun:test";
import type { Frame } from "../../src/frame/frame.ts";
import { pageBytes } from "../exporter_pages.ts";
import { closeHosts, exporter, type Host } from "../hosts.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

testFolder();
afterAll(closeHosts);

/** What one frame of these hosts says. */
async function snapshot(...hosts: Host[]): Promise<Frame> {
  const ids = hosts.map(({ id }) => id);
  const { out, err } = await start([...PROGRAM, "snapshot", "--hosts", ...ids, "--include", "gpu"]).ended;
  if (out === "") throw new Error(err);
  return JSON.parse(out) as Frame;
}

const served = (name: string): Promise<Host> => exporter(pageBytes(name));

test("exporters with old names, masks and virtual functions are known, and say all they have", async () => {
  const frame = await snapshot(
    await served("nvidia_gpu_exporter_old_driver"),
    await served("dcgm_exporter_mask"),
    await served("amd_exporter_vf"),
  );
  expect(frame.scrapes?.map(({ up }) => up)).toEqual([true, true, true]);
  expect(frame.gpus).toMatchObject([
    { health: { throttle: ["power"], fan_percent: 38, memory_utilization: 40 } },
    { temperature: 38, health: { throttle: ["thermal"], memory_utilization: 41, fan_percent: 62, retired_pages: 4 } },
    { index: 0, utilization: 70, temperature: 40, power_consumption: 180, total_memory: 196288 * 2 ** 20 },
    { index: 1, utilization: 71, temperature: 41, power_consumption: 181, used_memory: 1210 * 2 ** 20 },
  ]);
});

test("the series of a MIG instance do not overwrite those of its card", async () => {
  const line = (name: string, value: number, labels = "") =>
    `DCGM_FI_DEV_${name}{gpu="0",UUID="GPU-1",Hostname="a"${labels}} ${value}\n`;
  const instance = ',GPU_I_PROFILE="1g.10gb",GPU_I_ID="7"';
  const page =
    line("POWER_USAGE", 400) +
    line("POWER_USAGE", 20, instance) +
    line("MEM_COPY_UTIL", 50) +
    line("MEM_COPY_UTIL", 2, instance) +
    line("FB_USED", 3000) +
    line("FB_USED", 7, instance);
  const { gpus } = await snapshot(await exporter(page));
  expect(gpus).toMatchObject([
    {
      power_consumption: 400,
      used_memory: 3000 * 2 ** 20,
      health: { memory_utilization: 50 },
      mig: [{ gpu_instance: 7, used_memory: 7 * 2 ** 20 }],
    },
  ]);
});

test("a page is of one host where its own series agree, even if each accelerator names itself as the instance", async () => {
  const npu = (n: number) =>
    `all_smi_gpu_utilization{gpu="RNGD",instance="npu${n}",gpu_uuid="u${n}",gpu_index="${n}"} ${n}\n`;
  const memory = (host: string) => `all_smi_memory_total_bytes{instance="${host}",hostname="${host}",index="0"} 5\n`;
  const frame = await snapshot(
    await exporter(npu(0) + npu(1) + memory("node7")),
    await exporter(npu(0) + npu(1) + memory("node7") + memory("node8")),
  );
  expect(frame.scrapes?.map(({ hostname, error }) => [hostname, error])).toEqual([
    ["node7", null],
    [expect.any(String), "several hosts behind it"],
  ]);
  expect(frame.gpus?.map(({ utilization }) => utilization)).toEqual([0, 1]);
});

test("a page that speaks for several machines is of none, whichever exporter wrote it", async () => {
  const gpu = (host: string, n: number) =>
    `DCGM_FI_DEV_GPU_UTIL{gpu="${n}",UUID="GPU-${host}${n}",Hostname="${host}"} ${n}\n`;
  const node = (host: string) =>
    `node_uname_info{instance="${host}:9100",nodename="${host}"} 1\nnode_memory_MemTotal_bytes{instance="${host}:9100"} 5\n`;
  const frame = await snapshot(
    await exporter(gpu("a", 0) + gpu("a", 1)),
    await exporter(gpu("a", 0) + gpu("b", 1)),
    await exporter(node("a")),
    await exporter(node("a") + node("b")),
  );
  expect(frame.scrapes?.map(({ hostname, error }) => [hostname, error])).toEqual([
    ["a", null],
    [expect.any(String), "several hosts behind it"],
    ["a", null],
    [expect.any(String), "several hosts behind it"],
  ]);
});
