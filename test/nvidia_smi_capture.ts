import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NvidiaCard } from "../src/sources/gpu/nvidia/card.ts";
import { GPU_FIELDS } from "../src/sources/gpu/nvidia/smi/fields.ts";
import { parseList } from "../src/sources/gpu/nvidia/smi/list.ts";
import { parseLog } from "../src/sources/gpu/nvidia/smi/log.ts";
import { Query } from "../src/sources/gpu/nvidia/smi/query.ts";
import { cardOf } from "../src/sources/gpu/nvidia/smi/rows.ts";

/** A file of `fixtures/nvidia-smi`. */
export type Capture = "h100" | "h100-mig" | "rtx-4080-super";

/** When it was captured: before or under a load. */
export type Moment = "idle" | "load";

/** What a capture has under a heading that starts with `title`, of this command of nvidia-smi. */
export function captured(capture: Capture, title: Moment | "capabilities", command: string): string {
  const text = readFileSync(join(import.meta.dirname, `fixtures/nvidia-smi/${capture}.txt`), "utf8");
  const section = text
    .split(/^### (?!\$)/m)
    .find((part) => part.startsWith(title) && part.includes(`\n### $ nvidia-smi ${command}`));
  if (section === undefined) throw new Error(`${capture} has no ${title} ${command}`);
  return section.split("\n").slice(2).join("\n").trimEnd();
}

type QueryName = "gpu" | "compute-apps";

/** The fields that a query was asked for. */
export function capturedNames(capture: Capture, moment: Moment, query: QueryName): string[] {
  const [header = ""] = captured(capture, moment, `--query-${query}=`).split("\n");
  return header.split(", ").map((name) => name.replace(/ \[.*\]$/, ""));
}

/** The rows of a query as captured, by the fields' names; without units, as `nounits` prints them. */
export function capturedRows(capture: Capture, moment: Moment, query: QueryName): Map<string, string>[] {
  const names = capturedNames(capture, moment, query);
  const [, ...rows] = captured(capture, moment, `--query-${query}=`).split("\n");
  return rows.map((row) => new Map(row.split(", ").map((cell, i) => [names[i] ?? "", withoutUnit(cell)])));
}

const withoutUnit = (cell: string): string => cell.replace(/ (MiB|W|MHz|%|us|ms)$/, "");

/** The card of a capture, by all that was captured; `values` are cells that shall be other ones. */
export function capturedCard(
  capture: Capture,
  moment: Moment,
  values: Readonly<Record<string, string>> = {},
): NvidiaCard {
  const query = new Query(GPU_FIELDS, new Set(capturedNames(capture, moment, "gpu")));
  const [row = new Map<string, string>()] = capturedRows(capture, moment, "gpu");
  const cells = query.names.split(",").map((name) => values[name] ?? row.get(name) ?? "");
  return cardOf(query.values(cells), {
    log: parseLog(captured(capture, moment, "-q")),
    instances: parseList(captured(capture, "capabilities", "-L")),
  });
}
