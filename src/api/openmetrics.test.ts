import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { linuxFrame, nvidiaFrame } from "../../test/frames.ts";
import type { Frame } from "../frame/frame.ts";
import { openMetricsText } from "./openmetrics.ts";
import { prometheusText } from "./prometheus.ts";

const build = { version: "1.2.3", os: "linux", arch: "x86_64" };
const textOf = (frame: Frame): string => openMetricsText(prometheusText(frame, build));

const NAME = "[a-zA-Z_][a-zA-Z0-9_]*";
const LABEL = `${NAME}="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"`;
const SERIES = new RegExp(`^(${NAME})\\{${LABEL}(?:,${LABEL})*\\} -?\\d+(?:\\.\\d+)?$`);

/** By the grammar of OpenMetrics 1.0: the families, each with its type and number of series; throws where it is broken. */
function parse(text: string): Map<string, { type: string; series: number }> {
  const families = new Map<string, { type: string; series: number }>();
  if (!text.endsWith("# EOF\n")) throw new Error("has no end");
  let family = "";
  for (const line of text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1)) {
    const [, help] = /^# HELP (\S+) \S/.exec(line) ?? [];
    const [, typed, type] = /^# TYPE (\S+) (gauge|counter)$/.exec(line) ?? [];
    if (help !== undefined) {
      if (families.has(help)) throw new Error(`family twice: ${help}`);
      families.set(help, { type: "", series: 0 });
      family = help;
    } else if (typed !== undefined && type !== undefined) {
      if (typed !== family) throw new Error(`type of another family: ${line}`);
      families.set(family, { type, series: 0 });
    } else {
      const found = families.get(family);
      const name = SERIES.exec(line)?.[1];
      if (found === undefined || name !== (found.type === "counter" ? `${family}_total` : family)) {
        throw new Error(`no series of ${family}: ${line}`);
      }
      found.series++;
    }
  }
  return families;
}

test("keeps to the grammar for any frame", () => {
  fc.assert(
    fc.property(frameArbitrary, (frame) => void parse(textOf(frame))),
    { numRuns: 50 },
  );
});

test("names counters without the end of their series, and leaves gauges as they are", () => {
  const families = parse(textOf(nvidiaFrame));
  expect(families.get("all_smi_gpu_pcie_replays")?.type).toBe("counter");
  expect(families.get("all_smi_gpu_utilization")?.type).toBe("gauge");
  expect([...families.keys()].filter((name) => name.endsWith("_total"))).toEqual([]);
});

test("says the same as the Prometheus text", () => {
  for (const frame of [nvidiaFrame, linuxFrame]) {
    const values = (text: string) =>
      text.split("\n").flatMap((line) => (line.startsWith("#") ? [] : line.replaceAll('", ', '",')));
    expect(values(textOf(frame))).toEqual(values(prometheusText(frame, build)));
  }
});

test("parts no value of a label", () => {
  const line = 'all_smi_a{b="c\\", d=\\"", e="f\\\\", g="h, i"} 1\n';
  expect(openMetricsText(line)).toBe('all_smi_a{b="c\\", d=\\"",e="f\\\\",g="h, i"} 1\n# EOF\n');
});
