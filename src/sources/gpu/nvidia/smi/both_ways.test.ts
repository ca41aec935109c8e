import { describe, expect, test } from "bun:test";
import { type Capture, capturedCard, capturedRows, type Moment } from "../../../../../test/nvidia_smi_capture.ts";
import { type Machine, Scenario } from "../../../../../test/nvml.ts";
import { openSource } from "../../../../../test/nvml_compiled.ts";
import { STUB } from "../../../../../test/nvml_stub.ts";
import type { NvidiaReading } from "../card.ts";
import { Nvml } from "../nvml/nvml.ts";
import { NvmlReader } from "../nvml/reader.ts";

const MIB = 1024 ** 2;

const SAME: readonly (readonly [machine: Machine, capture: Capture, moment: Moment, leastValues: number])[] = [
  ["h100", "h100", "load", 60],
  ["h100_idle", "h100", "idle", 60],
  ["h100_mig", "h100-mig", "load", 75],
  ["rtx_4080", "rtx-4080-super", "load", 55],
];

/** What the library tells of a machine, as the helper reads it; the second time, as rates need two. */
function byLibrary(machine: Machine): NvidiaReading {
  using scenario = new Scenario(machine);
  scenario.enterHere();
  const nvml = new Nvml(openSource(STUB));
  nvml.initialize();
  const reader = new NvmlReader(nvml);
  reader.read({ t_ms: 0, monotonic_ms: 0 });
  return reader.read({ t_ms: 1000, monotonic_ms: 1000 });
}

/** Each value in there that is known, by its path; that of an empty list, too. */
function valuesIn(value: unknown, path = ""): Map<string, unknown> {
  if (value === null || value === undefined) return new Map();
  const entries = typeof value === "object" ? Object.entries(value) : [];
  if (entries.length === 0) return new Map([[path, value]]);
  return new Map(entries.flatMap(([key, inner]) => [...valuesIn(inner, `${path}.${key}`)]));
}

describe.each(SAME)("%s by the library and %s by nvidia-smi, %s", (machine, capture, moment, leastValues) => {
  const { cards, processes } = byLibrary(machine);
  const byNvidiaSmi = valuesIn(capturedCard(capture, moment));
  // Without a value for "unknown": only the library tells of links.
  byNvidiaSmi.delete(".row.nvlink_remote_devices");
  const byNvml = valuesIn(cards[0]);
  const shared = [...byNvidiaSmi.keys()].filter((path) => byNvml.has(path));

  test("are the same wherever both know a value", () => {
    const pick = (values: Map<string, unknown>) => Object.fromEntries(shared.map((path) => [path, values.get(path)]));
    expect(pick(byNvidiaSmi)).toEqual(pick(byNvml));
    expect(shared.length).toBeGreaterThanOrEqual(leastValues);
  });

  test("nvidia-smi tells nothing that the library does not", () => {
    expect([...byNvidiaSmi.keys()].filter((path) => !byNvml.has(path))).toEqual([]);
  });

  test("the processes that both list use as much memory", () => {
    const rows = capturedRows(capture, moment, "compute-apps");
    for (const row of rows) {
      const process = processes.find(({ pid }) => pid === Number(row.get("pid")));
      expect(process).toMatchObject({
        uuid: row.get("gpu_uuid"),
        used_memory: Number(row.get("used_gpu_memory")) * MIB,
      });
    }
    expect(processes.length).toBeGreaterThanOrEqual(rows.length);
  });
});
