import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary, textArbitrary } from "../../test/arbitrary.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "../../test/frames.ts";
import type { Fields } from "../frame/field.ts";
import type { Frame } from "../frame/frame.ts";
import { sections } from "../frame/schema.ts";
import { families } from "./families.ts";
import { prometheusText } from "./prometheus.ts";

const build = { version: "1.2.3", os: "linux", arch: "x86_64" };
const textOf = (frame: Frame): string => prometheusText(frame, build);
const seriesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

const SERIES = /^all_smi_([^{]+)\{((?:[^"}]|"(?:[^"\\]|\\.)*")+)\} (\S+)$/;
const LABEL = /([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/y;

interface Sample {
  readonly family: string;
  readonly labels: Map<string, string>;
  readonly value: number;
}

/** The labels between two braces by the exposition format's grammar; throws where it is broken. */
function parseLabels(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const [all, name, value] = LABEL.exec(text) ?? [];
    if (all === undefined || name === undefined || value === undefined) throw new Error(`no label: ${text.slice(at)}`);
    if (labels.has(name)) throw new Error(`label twice: ${name}`);
    if (name.startsWith("__")) throw new Error(`reserved label: ${name}`);
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, one) => (one === "n" ? "\n" : one)),
    );
    at += all.length;
    if (at < text.length && !text.startsWith(", ", at)) throw new Error(`no separator: ${text.slice(at)}`);
    at += 2;
  }
  return labels;
}

/** A strict reader: HELP, TYPE, then all series of a family, each family once, no series twice. */
function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  const opened = new Set<string>();
  const series = new Set<string>();
  let family = "";
  let typed = "";
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  for (const line of text.split("\n").slice(0, -1)) {
    const help = /^# HELP (all_smi_[a-z0-9_]+) \S.*$/.exec(line)?.[1];
    const type = /^# TYPE (all_smi_[a-z0-9_]+) (?:gauge|counter)$/.exec(line)?.[1];
    if (help !== undefined) {
      if (opened.has(help)) throw new Error(`family twice: ${help}`);
      opened.add(help);
      family = help;
    } else if (type !== undefined) {
      if (type !== family || typed === type) throw new Error(`type out of place: ${type}`);
      typed = type;
    } else {
      const [, name, labels, value] = SERIES.exec(line) ?? [];
      if (name === undefined || labels === undefined || !/^-?\d+(\.\d+)?$/.test(value ?? "")) {
        throw new Error(`no series: ${JSON.stringify(line)}`);
      }
      if (`all_smi_${name}` !== family || typed !== family) throw new Error(`series of another family: ${line}`);
      const parsed = parseLabels(labels);
      const key = `${name} ${JSON.stringify([...parsed].sort())}`;
      if (series.has(key)) throw new Error(`series twice: ${line}`);
      series.add(key);
      samples.push({ family: name, labels: parsed, value: Number(value) });
    }
  }
  return samples;
}

const value = (text: string, family: string, labels: Record<string, string> = {}): number | undefined =>
  parse(text).find(
    (sample) =>
      sample.family === family && Object.entries(labels).every(([name, wanted]) => sample.labels.get(name) === wanted),
  )?.value;

/** Every family that the schema names, at any depth. */
const schemaFamilies = (fields: Fields): string[] =>
  Object.values(fields).flatMap((field) => [
    ...(field.metric ? [field.metric.family] : []),
    ...(field.fields ? schemaFamilies(field.fields) : []),
  ]);

describe("the text", () => {
  test("is strict for any frame", () => {
    fc.assert(fc.property(frameArbitrary, (frame) => void parse(textOf(frame))));
  });

  test("holds every family of the schema for a frame with all values, but Apple's", () => {
    const given = new Set(parse(textOf(nvidiaFrame)).map((sample) => sample.family));
    const wanted = Object.values(sections).flatMap(schemaFamilies);
    expect(wanted.filter((family) => !given.has(family) && !/^cpu_([spe]_|gpu_|ane_)/.test(family))).toEqual([]);
  });

  test("names no family twice", () => {
    const names = families.map((family) => family.name);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });

  test("goes status, gpu, process, cpu, memory, disk, chassis, then our own", () => {
    const order = parse(textOf(nvidiaFrame)).map((sample) => sample.family);
    const landmarks = [
      "up",
      "build_info",
      "gpu_info",
      "gpu_utilization",
      "process_memory_used_bytes",
      "cpu_utilization",
      "memory_total_bytes",
      "disk_total_bytes",
      "chassis_power_watts",
      "gpu_power_limit_current_watts",
      "uptime_seconds",
      "gpu_throttle_reason",
    ];
    const places = landmarks.map((family) => order.indexOf(family));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test("counters are typed so", () => {
    const types = textOf(nvidiaFrame)
      .split("\n")
      .filter((line) => line.startsWith("# TYPE"));
    expect(types).toContain("# TYPE all_smi_gpu_pcie_replays_total counter");
    expect(types).toContain("# TYPE all_smi_gpu_retired_pages gauge");
  });
});

describe("a value", () => {
  const withUtilization = (utilization: number): Frame => ({
    ...linuxFrame,
    cpus: (linuxFrame.cpus ?? []).map((cpu) => ({ ...cpu, utilization })),
  });

  test.each([
    [1.5e-7, "0.00000015"],
    [1e-30, "0"],
    [1e21, "1000000000000000000000"],
    [2 ** 80, "1208925819614629174706176"],
    [0, "0"],
    [97.25, "97.25"],
  ])("%p has no exponent", (utilization, written) => {
    const line = seriesOf(textOf(withUtilization(utilization))).find((one) =>
      one.startsWith("all_smi_cpu_utilization"),
    );
    expect(line?.split("} ")[1]).toBe(written);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("%p has no series", (utilization) => {
    expect(value(textOf(withUtilization(utilization)), "cpu_utilization")).toBeUndefined();
  });

  test("a temperature below 0 has its series", () => {
    const chassis = (nvidiaFrame.chassis ?? []).map((one) => ({ ...one, inlet_temperature: -4.5 }));
    const text = textOf({ ...nvidiaFrame, chassis });
    expect(value(text, "chassis_inlet_temperature_celsius")).toBe(-4.5);
  });

  test("unknown has no series", () => {
    const known = parse(textOf(unknownFrame)).filter((sample) => sample.value !== 1);
    expect(known).toEqual([]);
    expect(value(textOf(linuxFrame), "cpu_temperature_celsius")).toBeUndefined();
  });

  test("of a NUMA node of -1 has no series, others have", () => {
    const [first, ...others] = nvidiaFrame.gpus ?? [];
    if (first === undefined) throw new Error("no GPU");
    const text = textOf({ ...nvidiaFrame, gpus: [{ ...first, numa_node_id: -1 }, ...others] });
    expect(value(text, "gpu_numa_node_id", { gpu_index: "0" })).toBeUndefined();
    expect(value(text, "gpu_numa_node_id", { gpu_index: "7" })).toBe(1);
  });

  test("of swap is there only where the machine has swap", () => {
    expect(value(textOf(linuxFrame), "swap_total_bytes")).toBeUndefined();
    expect(value(textOf(nvidiaFrame), "swap_used_bytes")).toBe(2 ** 30);
  });

  test("of a throttle reason is 0 when it is known not to apply, absent when it is unknown", () => {
    const text = textOf(nvidiaFrame);
    expect(value(text, "gpu_throttle_reason", { gpu_index: "0", reason: "thermal" })).toBe(1);
    expect(value(text, "gpu_throttle_reason", { gpu_index: "1", reason: "thermal" })).toBe(0);
    const [first] = nvidiaFrame.gpus ?? [];
    if (first === undefined) throw new Error("no GPU");
    const unread = textOf({ ...nvidiaFrame, gpus: [{ ...first, health: null }] });
    expect(value(unread, "gpu_throttle_reason")).toBeUndefined();
  });
});

describe("labels", () => {
  test("name the GPU of a process that uses one, and of others none", () => {
    const processes = (nvidiaFrame.processes ?? []).slice(0, 1);
    const idle = processes.map((process) => ({ ...process, pid: 7, uses_gpu: false, device_id: 0, device_uuid: "" }));
    const samples = parse(textOf({ ...nvidiaFrame, processes: [...processes, ...idle] }));
    const shares = samples.filter(({ family }) => family === "process_cpu_percent");
    expect(shares.map(({ labels }) => [labels.get("pid"), labels.get("gpu_index"), labels.get("device_id")])).toEqual([
      ["41207", "0", "0"],
      ["7", "", ""],
    ]);
  });

  const withUser = (user: string): Frame => ({
    ...nvidiaFrame,
    processes: (nvidiaFrame.processes ?? []).map((process) => ({ ...process, user })),
  });
  const userOf = (frame: Frame): string | undefined =>
    parse(textOf(frame))
      .find((sample) => sample.family === "process_cpu_percent")
      ?.labels.get("user");

  test("hold any text as it is", () => {
    for (const text of ["{a}", 'a"b\\c\nd\re', "x".repeat(5000), "}"]) expect(userOf(withUser(text))).toBe(text);
    fc.assert(fc.property(textArbitrary, (text) => expect(userOf(withUser(text))).toBe(text.toWellFormed())));
  });

  test("hold no command line, in any family", () => {
    const processes = (nvidiaFrame.processes ?? []).map((process) => ({ ...process, command: "run --flag" }));
    expect(textOf({ ...nvidiaFrame, processes })).not.toContain("--flag");
  });

  test("of a GPU's details are left out where they do not fit, and named so that none is there twice", () => {
    const [first] = nvidiaFrame.gpus ?? [];
    if (first === undefined) throw new Error("no GPU");
    const detail = {
      "Driver Version": "1",
      "driver version": "2",
      GPU: "x",
      "9": "nine",
      long: "l".repeat(2000),
      z: "z",
    };
    const text = textOf({ ...nvidiaFrame, gpus: [{ ...first, detail }] });
    const labels = parse(text).find((sample) => sample.family === "gpu_info")?.labels;
    expect(Object.fromEntries(labels ?? [])).toEqual({
      gpu: "NVIDIA H100 80GB HBM3",
      instance: "dgx-01",
      gpu_uuid: first.uuid,
      gpu_index: "0",
      type: "GPU",
      driver_version: "1",
      _9: "nine",
      z: "z",
    });
  });

  test("of a GPU without a name its maker stands in its place", () => {
    const [first] = nvidiaFrame.gpus ?? [];
    if (!first) throw new Error("no GPUs");
    const gpus = [
      { ...first, name: "", detail: { Brand: "AMD" } },
      { ...first, name: "", detail: {} },
    ];
    const text = textOf({ ...nvidiaFrame, gpus });
    const names = parse(text).flatMap(({ family, labels }) => (family === "gpu_info" ? labels.get("gpu") : []));
    expect(names).toEqual(["AMD", "unknown"]);
  });

  test("of GPUs without an index of their own count within each host", () => {
    const [first, second, third] = nvidiaFrame.gpus ?? [];
    if (!first || !second || !third) throw new Error("no GPUs");
    const gpus = [first, { ...second, host_id: "b" }, { ...third, detail: { index: "5" } }, { ...first, uuid: "last" }];
    const text = textOf({ ...nvidiaFrame, gpus: gpus.map((gpu) => ({ ...gpu, index: null })) });
    const indexes = parse(text).flatMap(({ family, labels }) => (family === "gpu_info" ? labels.get("gpu_index") : []));
    expect(indexes).toEqual(["0", "0", "5", "2"]);
  });
});
