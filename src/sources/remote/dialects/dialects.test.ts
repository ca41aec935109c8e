import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageBytes, readPage, toldBy, toldByTwo } from "../../../../test/exporter_pages.ts";
import type { FrameEvent, Gpu } from "../../../frame/schema.ts";
import type { History, Told } from "./dialect.ts";

const MIB = 2 ** 20;

const gpuOf = (told: Told, index = 0): Gpu => {
  const gpu = told.sections.gpus?.[index];
  if (gpu === undefined) throw new Error("there is no such GPU");
  return gpu;
};

/** With UPDATE_GOLDEN set the files are written: look at the difference before it is kept. */
describe("everything that a page tells", () => {
  test.each([
    "nvidia_gpu_exporter_h100_idle",
    "nvidia_gpu_exporter_h100_load",
    "nvidia_gpu_exporter_h100_mig",
    "node_exporter_e2e",
    "all_smi_api_linux",
    "all_smi_mock_nvidia",
    "all_smi_mock_amd",
    "all_smi_mock_apple",
    "all_smi_mock_jetson",
    "all_smi_mock_gaudi",
    "dcgm_exporter_made",
    "dcgm_exporter_old_made",
    "dcgm_exporter_mig_made",
    "amd_exporter_made",
    "amd_exporter_empty_made",
    "amd_exporter_vf",
    "dcgm_exporter_mask",
    "nvidia_gpu_exporter_old_driver",
  ])("%s", (name) => {
    const file = join(import.meta.dir, "../../../../test/golden/exporters", `${name}.json`);
    const text = `${JSON.stringify(toldBy(name), null, 1)}\n`;
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});

test("what no integer of a frame can hold is unknown", () => {
  const told = readPage('nvidia_smi_memory_used_bytes{uuid="a"} 1e40\nnvidia_smi_memory_total_bytes{uuid="a"} 5\n');
  expect(told).toMatchObject({ sections: { gpus: [{ used_memory: null, total_memory: 5 }] } });
});

test("the Rust tool's memory has the utilization that its text leaves out", () => {
  const [memory] = toldBy("all_smi_mock_nvidia").sections.memory ?? [];
  const { used_bytes, total_bytes } = memory ?? {};
  expect(memory?.utilization).toBeCloseTo((100 * (used_bytes ?? 0)) / (total_bytes ?? 0), 1);
});

describe("nvidia_gpu_exporter", () => {
  const loaded = gpuOf(toldBy("nvidia_gpu_exporter_h100_load"));
  const text = new TextDecoder().decode(pageBytes("nvidia_gpu_exporter_h100_load"));
  const said = (family: string): number =>
    Number(new RegExp(`^nvidia_smi_${family}\\{uuid="[^"]*"\\} (.+)$`, "m").exec(text)?.[1]);

  test("base units become the frame's", () => {
    expect(loaded.utilization).toBe(said("utilization_gpu_ratio") * 100);
    expect(loaded.used_memory).toBe(said("memory_used_bytes"));
    expect(loaded.total_memory).toBe(85520809984);
    expect(loaded.power_consumption).toBe(631.95);
    expect(loaded.frequency).toBe(said("clocks_current_sm_clock_hz") / 1e6);
    expect(loaded.health?.clocks?.memory).toBe(2619);
    expect(loaded.health?.memory_temperature).toBe(said("temperature_memory"));
    expect(loaded.health?.power_limit_watts).toBe(700);
  });

  test("the UUID is NVML's again; name, index and versions stand in the info", () => {
    expect(loaded.uuid).toBe("GPU-00000000-0000-0000-0000-000000000000");
    expect(loaded).toMatchObject({ name: "NVIDIA H100 80GB HBM3", index: 0 });
    expect(loaded.detail).toMatchObject({ "Driver Version": "590.48.01", "CUDA Version": "13.1" });
    expect(loaded.detail.driver_model_current).toBeUndefined();
  });

  test("a GPU in MIG mode does not say how busy it is: that is unknown", () => {
    const mig = gpuOf(toldBy("nvidia_gpu_exporter_h100_mig"));
    expect(mig.utilization).toBeNull();
    expect(mig.health?.encoder).toBeUndefined();
    expect(mig.detail.mig_mode_current).toBe("1");
    expect(mig.temperature).toBe(53);
  });

  test("processes have what is said of them, and no more", () => {
    const { processes = [] } = toldBy("nvidia_gpu_exporter_h100_load").sections;
    expect(processes.map(({ pid, process_name, used_memory }) => [pid, process_name, used_memory])).toEqual([
      [11327, "memhog", 2690646016],
      [11328, "memhog", 1616904192],
      [11345, "gpu_burn", 16452157440],
    ]);
    expect(processes[2]).toMatchObject({ uses_gpu: true, device_id: 0, device_uuid: loaded.uuid, cpu_percent: null });
  });

  test("idle is no reason for a throttle; each other one has its name, hardware only where nothing says why", () => {
    const uuid = "00000000-0000-0000-0000-000000000000";
    const reasons = (...active: string[]) =>
      gpuOf(
        readPage(active.map((one) => `nvidia_smi_clocks_event_reasons_${one}{uuid="${uuid}"} 1\n`).join("")) as Told,
      ).health?.throttle;
    expect(gpuOf(toldBy("nvidia_gpu_exporter_h100_idle")).health?.throttle).toEqual([]);
    expect(reasons("sw_power_cap")).toEqual(["power"]);
    expect(reasons("hw_slowdown")).toEqual(["hardware"]);
    expect(reasons("hw_slowdown", "hw_thermal_slowdown")).toEqual(["thermal"]);
    expect(reasons("hw_power_brake_slowdown", "sync_boost")).toEqual(["power_brake", "sync"]);
  });

  test("nvidia-smi that fails is an error, not a machine without GPUs and no word", () => {
    expect(readPage("nvidia_smi_command_exit_code 9\n")).toMatchObject({
      sections: { gpus: [] },
      errors: ["nvidia-smi: exit code 9"],
    });
  });
});

describe("dcgm-exporter", () => {
  const [loaded, idle] = [gpuOf(toldBy("dcgm_exporter_made"), 0), gpuOf(toldBy("dcgm_exporter_made"), 1)];

  test("units: MiB are bytes, ratios percent", () => {
    expect(loaded.used_memory).toBe(72480 * MIB);
    expect(loaded.total_memory).toBe((72480 + 8601 + 478) * MIB);
    expect(loaded.tensorcore_utilization).toBe(61.52);
    expect(loaded.gpm_metrics).toEqual({ sm_occupancy: null, memory_bandwidth_utilization: 0.3125 });
    expect(loaded.health?.pcie).toMatchObject({ replays: 3, rx_bytes_per_second: 1048576, tx_bytes_per_second: null });
  });

  test("what is not there is unknown, and 0 is 0", () => {
    expect(idle).toMatchObject({ utilization: 0, used_memory: 0, total_memory: null, temperature: 34, index: 1 });
    expect(idle.health).toEqual({ clocks: expect.objectContaining({ sm: 345, memory: null }) });
  });

  test("the host's name, and the driver's version behind every series", () => {
    expect(toldBy("dcgm_exporter_made").hostname).toBe("gpu-07");
    expect(loaded.detail).toEqual({ "Driver Version": "550.144.03", pci_bus_id: "00000000:8D:00.0" });
  });

  test("blank values are unknown; old exporters have the reserved memory in the used", () => {
    const old = gpuOf(toldBy("dcgm_exporter_old_made"));
    expect(old.health).toEqual({ clocks: expect.objectContaining({ sm: 139 }) });
    expect(old).toMatchObject({ used_memory: 30 * MIB, total_memory: 15109 * MIB, name: "", power_consumption: null });
  });

  test("without UUIDs the next best tells GPUs apart", () => {
    const page = (labels: string) =>
      readPage(
        `DCGM_FI_DEV_GPU_UTIL{gpu="0"${labels}} 5\nDCGM_FI_DEV_GPU_UTIL{gpu="1"${labels.replace("06", "07")}} 6\n`,
      );
    const uuids = (told: Told | string) =>
      typeof told === "string"
        ? told
        : told.sections.gpus?.map(({ uuid, index, utilization }) => [uuid, index, utilization]);
    expect(uuids(page(""))).toEqual([
      ["GPU 0", 0, 5],
      ["GPU 1", 1, 6],
    ]);
    expect(uuids(page(',UUID="",pci_bus_id="00000000:06:00.0"'))).toEqual([
      ["PCI-0000:06:00.0", 0, 5],
      ["PCI-0000:07:00.0", 1, 6],
    ]);
  });

  test("MIG instances have memory and activity of their own; the rest is their GPU's", () => {
    const { gpus = [] } = toldBy("dcgm_exporter_mig_made").sections;
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({ index: 3, temperature: 44, used_memory: null, utilization: null });
    expect(gpus[0]?.health?.ecc).toMatchObject({ corrected_volatile: 12, uncorrected_volatile: null });
    expect(gpus[0]?.health?.throttle).toEqual(["thermal"]);
    expect(gpus[0]?.mig).toEqual([
      expect.objectContaining({
        gpu_instance: 7,
        profile: "1g.10gb",
        used_memory: 4096 * MIB,
        total_memory: 9727 * MIB,
        utilization: 33.1,
      }),
      expect.objectContaining({ gpu_instance: 3, used_memory: 12 * MIB, total_memory: null, utilization: null }),
    ]);
  });
});

describe("device-metrics-exporter", () => {
  const told = toldBy("amd_exporter_made");

  test("units and choices: the junction's temperature, the package's power, the fastest die", () => {
    expect(gpuOf(told)).toMatchObject({
      uuid: "692432000123",
      name: "AMD GPU",
      utilization: 97,
      temperature: 61,
      power_consumption: 512,
      used_memory: 150283 * MIB,
      total_memory: 196592 * MIB,
      frequency: 2100,
    });
    expect(gpuOf(told).health).toMatchObject({
      memory_temperature: 49,
      throttle: ["power"],
      clocks: { sm: 2100, sm_max: 2100, memory: 900, memory_max: null },
      pcie: { generation: 5, generation_max: 5, width: null, replays: 5 },
      ecc: { corrected_volatile: 4, uncorrected_volatile: 0, corrected_aggregate: null },
    });
  });

  test("partitions beyond the first are the same GPU", () => {
    expect(told.sections.gpus).toHaveLength(2);
    expect(gpuOf(told, 1)).toMatchObject({ power_consumption: 141, frequency: 132, utilization: 0 });
    expect(gpuOf(told, 1).detail.compute_partition).toBe("cpx");
  });

  test("without card and serial number the GPU is known by its host and place", () => {
    const empty = toldBy("amd_exporter_empty_made");
    expect(gpuOf(empty)).toMatchObject({ uuid: "cb76105c40d0/0", name: "", temperature: 41, power_consumption: 38 });
    expect(gpuOf(empty).used_memory).toBeNull();
  });

  test("families of others that are called alike are not taken for it", () => {
    expect(readPage('nvidia_gpu_power_usage{gpu_id="0"} 31000\nmy_gpu_clock{a="b"} 1\n')).toBe("no known exporter");
  });
});

describe("node_exporter", () => {
  test("one page has no utilization and no power", () => {
    const [cpu] = toldBy("node_exporter_made_1").sections.cpus ?? [];
    expect(cpu).toMatchObject({ utilization: null, power_consumption: null, total_threads: 4, total_cores: 4 });
  });

  test("two pages have: what was not idle, of all that passed; joules by the seconds between", () => {
    const [cpu] = toldByTwo("node_exporter_made_1", "node_exporter_made_2", 10_000).sections.cpus ?? [];
    // Of 40 s the four CPUs had idle 5 + 10 + 0 + 2.5.
    expect(cpu?.utilization).toBe(56.3);
    expect(cpu?.power_consumption).toBe(310);
    expect(cpu?.per_socket_info.map(({ utilization, cores }) => [utilization, cores])).toEqual([
      [25, 2],
      [87.5, 2],
    ]);
  });

  test("counters that went back say nothing", () => {
    const [cpu] = toldByTwo("node_exporter_made_2", "node_exporter_made_1", 10_000).sections.cpus ?? [];
    expect(cpu).toMatchObject({ utilization: null, power_consumption: null });
    expect(toldByTwo("node_exporter_made_1", "node_exporter_made_1", 10_000).sections.cpus?.[0]).toMatchObject({
      utilization: null,
      power_consumption: null,
    });
  });

  test("what a machine is, by its own words", () => {
    const told = toldBy("node_exporter_made_1", { perCore: true });
    expect(told.hostname).toBe("dgx-01");
    expect(told.sections.cpus?.[0]).toMatchObject({
      cpu_model: "Intel(R) Xeon(R) Platinum 8480C",
      architecture: "x86_64",
      platform_type: "Intel",
      socket_count: 2,
      cache_size_mb: 105,
      temperature: 48,
      load_average: [14.2, 12.75, 9],
      uptime_seconds: 864000,
    });
    expect(told.sections.cpus?.[0]?.per_core_utilization).toHaveLength(4);
    expect(told.sections.memory?.[0]).toMatchObject({
      total_bytes: 2164163334144,
      used_bytes: 2164163334144 - 1739461754880,
      swap_total_bytes: 0,
      utilization: 19.6,
    });
  });

  test("storage is what is on disks, once each", () => {
    const { storage = [] } = toldBy("node_exporter_made_1").sections;
    expect(storage.map(({ mount_point, used_bytes }) => [mount_point, used_bytes])).toEqual([
      ["/", 173553174016],
      ["/data", 2.6e12],
    ]);
  });

  test("kernels that do not say what is available: free, buffers and cache are", () => {
    const [memory] = toldBy("node_exporter_e2e").sections.memory ?? [];
    const reclaimable = 4.5846528e7;
    expect(memory?.available_bytes).toBe(230883328 + 22568960 + 953229312 + reclaimable);
    expect(memory?.swap_used_bytes).toBe(4294963200 - 3231088640);
  });
});

describe("the Rust all-smi", () => {
  test("a machine without GPUs, against what its own snapshot had", () => {
    const { sections, hostname } = toldBy("all_smi_api_linux");
    expect(hostname).toBe("vm");
    expect(sections.gpus).toEqual([]);
    expect(sections.cpus?.[0]).toMatchObject({ cpu_model: "AMD EPYC", platform_type: "Amd", total_cores: 2 });
    expect(sections.memory?.[0]).toMatchObject({ total_bytes: 25276514304, swap_total_bytes: null });
    expect(sections.storage).toEqual([expect.objectContaining({ mount_point: "/", total_bytes: 270553174016 })]);
    expect(sections.chassis?.[0]?.detail).toEqual({ platform: "Linux" });
  });

  test("eight GPUs, in the order of their indexes", () => {
    const { gpus = [] } = toldBy("all_smi_mock_nvidia").sections;
    expect(gpus.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(gpus[2]).toMatchObject({ utilization: 62.83, temperature: 81, power_consumption: 557.301, frequency: 1637 });
    expect(gpus[0]?.detail).toMatchObject({ "Driver Version": "580.82.07", "CUDA Version": "13.0" });
  });

  test("placeholders are no values", () => {
    expect(gpuOf(toldBy("all_smi_mock_amd"))).toMatchObject({
      utilization: null,
      used_memory: null,
      temperature: null,
    });
  });

  test("a part of the cores is not the CPU, one of two accelerators is not the GPU", () => {
    expect(toldBy("all_smi_mock_apple").sections.cpus).toEqual([expect.objectContaining({ utilization: 43.49 })]);
    expect(gpuOf(toldBy("all_smi_mock_jetson")).dla_utilization).toBeNull();
  });

  test("who speaks for several hosts is of no use", () => {
    const text = 'all_smi_gpu_utilization{gpu="A", instance="a", gpu_uuid="1", gpu_index="0"} 1\n';
    expect(readPage(text + text.replace('instance="a"', 'instance="b"'))).toBe("several hosts behind it");
  });

  describe("an instance that names the device", () => {
    const npu = (n: number, instance = `npu${n}`) =>
      `all_smi_gpu_utilization{gpu="RNGD",instance="${instance}",gpu_uuid="u${n}",gpu_index="${n}"} ${n}\n`;
    const memory = (host: string) => `all_smi_memory_total_bytes{instance="${host}",hostname="${host}",index="0"} 5\n`;
    const cpu = (host: string) => `all_smi_cpu_utilization{cpu_model="x",instance="${host}",index="0"} 5\n`;
    const told = (text: string) => readPage(text) as Told;

    test("makes no other host of it", () => {
      expect(told(npu(0) + npu(1) + cpu("a") + memory("a")).hostname).toBe("a");
      expect(told(npu(0) + npu(1) + memory("a")).sections.gpus).toHaveLength(2);
      expect(told(npu(0) + npu(1))).toMatchObject({ hostname: null, sections: { gpus: [{}, {}] } });
      expect(told(npu(0, "a") + npu(1, "a")).hostname).toBe("a");
    });

    test("of series of the host itself it does", () => {
      for (const text of [memory("a") + memory("b"), cpu("a") + memory("b"), memory("b") + npu(0) + cpu("a")]) {
        expect(readPage(text)).toBe("several hosts behind it");
      }
      expect(readPage(npu(0, "a") + npu(1, "a") + npu(2, "b"))).toBe("several hosts behind it");
    });
  });
});

describe("XIDs", () => {
  const uuid = "GPU-8b2281de-6d3c-22ed-0ec8-d3b864870b8b";
  const dcgm = (xid: number, message = "") =>
    `DCGM_FI_DEV_XID_ERRORS{gpu="0",UUID="${uuid}",err_code="${xid}",err_msg="${message}"} ${xid}\n`;
  const nvml = (xid: number, at_s: number) =>
    `nvidia_smi_xid_last_timestamp_seconds{uuid="${uuid.slice(4)}",xid="${xid}"} ${at_s}\n`;

  /** The texts of the events in a row of pages. */
  function heard(...pages: string[]): FrameEvent[][] {
    const history: History = {};
    return pages.map((page) => [...((readPage(`${page}`, { history }) as Told).events ?? [])]);
  }

  test("one that is new is an event, one that was there before is none", () => {
    const [first, same, next, cleared, again] = heard(dcgm(13), dcgm(13), dcgm(79, "fell off"), dcgm(0), dcgm(79));
    expect([first, same, cleared]).toEqual([[], [], []]);
    expect(next).toMatchObject([{ kind: "xid", severity: "critical", device: uuid, text: "XID 79: fell off" }]);
    expect(again).toMatchObject([{ text: "XID 79: GPU has fallen off the bus" }]);
  });

  test("with a time of its own the same one may come twice", () => {
    const before = nvml(31, 1_776_000_000);
    const [first, next, same] = heard(before, before + nvml(48, 1_776_500_000.5), before + nvml(48, 1_776_500_000.5));
    expect([first, same]).toEqual([[], []]);
    expect(next).toMatchObject([{ text: "XID 48: double-bit ECC error", t: "2026-04-18T08:13:20.500Z" }]);
    expect(heard(nvml(48, 1), nvml(48, 2))[1]).toHaveLength(1);
  });

  test("a time that is none is no event", () => {
    expect(heard(nvml(48, 1), nvml(48, 1e300), nvml(48, -1e300))).toEqual([[], [], []]);
  });
});

describe("a page", () => {
  test("that is none, and one of somebody else", () => {
    expect(readPage("<!doctype html><title>Grafana</title>\n")).toBe("not a metrics page");
    expect(readPage("")).toBe("not a metrics page");
    expect(readPage("go_goroutines 12\nprocess_resident_memory_bytes 1e8\n")).toBe("no known exporter");
  });

  test("of several exporters, as a textfile collector makes it", () => {
    const both = readPage(
      new Uint8Array([...pageBytes("node_exporter_made_1"), ...pageBytes("dcgm_exporter_made")]),
    ) as Told;
    expect(both.sections.gpus).toHaveLength(2);
    expect(both.sections.cpus).toHaveLength(1);
    expect(both.hostname).toBe("gpu-07");
  });

  test("with more devices than any machine has keeps no more than one more, which tells that", () => {
    const bomb = (line: (n: number) => string) => Array.from({ length: 5000 }, (_, n) => line(n)).join("");
    const text =
      bomb((n) => `DCGM_FI_DEV_GPU_UTIL{UUID="${n}"} 1\n`) +
      bomb((n) => `node_filesystem_size_bytes{mountpoint="/${n}",device="/dev/${n}"} 1\n`) +
      bomb((n) => `nvidia_smi_compute_app_info{uuid="a",pid="${n}"} 1\n`) +
      bomb((n) => `node_hwmon_fan_rpm{chip="${n}",sensor="a"} 1\n`);
    const { sections } = readPage(text) as Told;
    expect(Object.values(sections).map((devices) => devices.length)).toEqual([257, 256, 0, 0, 1, 257]);
    expect(sections.chassis?.[0]?.fan_speeds).toHaveLength(256);
  });

  test("rubbish is given up before its end", async () => {
    const { Page } = await import("../page.ts");
    const page = new Page();
    const piece = new TextEncoder().encode("rubbish rubbish\n".repeat(2048));
    expect(page.feed(piece)).toBe(true);
    expect(page.feed(piece)).toBe(false);
  });
});
