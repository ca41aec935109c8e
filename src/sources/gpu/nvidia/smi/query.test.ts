import { describe, expect, test } from "bun:test";
import { GPU_FIELDS, PROCESS_FIELDS } from "./fields.ts";
import { parseHelp, Query } from "./query.ts";

const HELP = `List of valid properties to query for the switch "--query-gpu":

"timestamp"
The timestamp of when the query was made in format "YYYY/MM/DD HH:MM:SS.msec".

"uuid" or "gpu_uuid"
An identifier of the "GPU".

Section about clocks properties

"clocks.current.sm" or "clocks.sm"
Current frequency.
`;

test("the help is its names, in every spelling, and nothing that it quotes beside", () => {
  expect([...parseHelp(HELP)]).toEqual(["timestamp", "uuid", "gpu_uuid", "clocks.current.sm", "clocks.sm"]);
  expect(parseHelp("nvidia-smi: command not found").size).toBe(0);
});

describe("a query", () => {
  test("asks for what is known, by the newest name of it", () => {
    const query = new Query(GPU_FIELDS, new Set(["timestamp", "clocks.sm", "clocks.current.sm", "clocks.gr"]));
    expect(query.names).toBe("timestamp,clocks.gr,clocks.current.sm");
  });

  test("asks older versions by the names that they had", () => {
    const query = new Query(GPU_FIELDS, new Set(["timestamp", "clocks_throttle_reasons.active", "retired_pages.sbe"]));
    expect(query.names).toBe("timestamp,clocks_throttle_reasons.active,retired_pages.sbe");
  });

  const query = new Query(PROCESS_FIELDS, new Set(["timestamp", "pid", "used_gpu_memory"]));

  test("finds each cell in its place, and nothing for what was not asked", () => {
    const cells = query.cells("2026/07/14 08:12:53.500, 11327, 2566") ?? [];
    expect(query.values(cells)).toEqual({
      timestamp_ms: Date.UTC(2026, 6, 14, 8, 12, 53, 500),
      uuid: null,
      pid: 11_327,
      used_memory: 2566 * 1024 ** 2,
    });
  });

  test.each([
    "timestamp, pid, used_gpu_memory [MiB]",
    "2026/07/14 08:12:53.500, 11327",
    "2026/07/14 08:12:53.500, 11327, 2566, 1",
    "No devices were found",
    "",
  ])("takes %p for words", (line) => {
    expect(query.cells(line)).toBeNull();
    expect(query.isHeader(line)).toBe(line.startsWith("timestamp"));
  });
});
