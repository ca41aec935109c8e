import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { nvidiaFrame, unknownFrame } from "../../test/frames.ts";
import { type Column, csvHeader, csvRows, DEFAULT_COLUMNS, parseColumns, unknownKeys } from "./csv.ts";
import type { Frame } from "./frame.ts";

/** An RFC 4180 reader, written from the grammar; throws where a quote is out of place. */
function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let rest = text;
  while (rest !== "") {
    const [all, quoted, plain, end] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/.exec(rest) ?? [];
    if (all === undefined) throw new Error(`no cell: ${JSON.stringify(rest.slice(0, 40))}`);
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\n") {
      records.push(record);
      record = [];
    }
    rest = rest.slice(all.length);
  }
  if (record.length > 0) throw new Error("the last line has no end");
  return records;
}

const columnsOf = (query: string): Column[] => {
  const columns = parseColumns(query);
  if (columns === null) throw new Error(`no columns: ${query}`);
  return columns;
};

const tableOf = (frame: Frame, query: string): string[][] => readCsv(csvRows(frame, columnsOf(query), false));

const SECTIONS = ["gpus", "cpus", "memory", "chassis", "processes", "storage"] as const;

test("any frame is read back cell by cell", () => {
  const columns = columnsOf("section,index,hostname,command,detail,utilization,health.throttle");
  fc.assert(
    fc.property(frameArbitrary, (frame) => {
      const table = readCsv(csvHeader(columns, true) + csvRows(frame, columns, true));
      const devices = SECTIONS.flatMap((name) =>
        ((frame[name] ?? []) as Record<string, unknown>[]).map((device, index) => ({ ...device, name, index })),
      ) as Record<string, unknown>[];
      expect(table.length).toBe(1 + devices.length);
      for (const [n, device] of devices.entries()) {
        const [time, , index, hostname, command, detail, utilization] = table[n + 1] ?? [];
        expect(time).toBe(new Date(frame.t_ms).toISOString());
        expect(index).toBe(String(device.index));
        expect(hostname).toBe((device.hostname as string | undefined) ?? "");
        expect(command).toBe((device.command as string | undefined) ?? "");
        expect(detail).toBe(device.detail === undefined ? "" : JSON.stringify(device.detail));
        expect(utilization).toBe(String(device.utilization ?? ""));
      }
    }),
  );
});

test("unknown values are empty cells, no sentinels", () => {
  const table = readCsv(csvRows(unknownFrame, DEFAULT_COLUMNS, false));
  expect(table.map((cells) => cells.slice(2).join(""))).toEqual(["", "", "", "", "", ""]);
  expect(table.map((cells) => cells.slice(0, 2))).toEqual(
    ["gpu", "cpu", "memory", "chassis", "process", "storage"].map((section) => [section, "0"]),
  );
});

test("paths lead into details, objects and lists", () => {
  const query = "detail.Vendor,health.ecc.corrected_aggregate,nvlink_remote_devices.1.remote_type,health.throttle";
  const table = tableOf(nvidiaFrame, query);
  expect(table[0]).toEqual(["", "12", "gpu", '["power","thermal"]']);
  expect(table[10]).toEqual(["NVIDIA", "", "", ""]);
});

test("paths lead nowhere but to own keys", () => {
  const query = "constructor,detail.toString,health.throttle.length,name.length,nothing.at.all,utilization.x";
  expect(tableOf(nvidiaFrame, query)[0]).toEqual(["", "", "", "", "", ""]);
});

test("columns that no device has are known as such", () => {
  expect(unknownKeys(columnsOf("section,index,name,utilisation,detail.Vendor,nothing.at.all"))).toEqual([
    "utilisation",
    "nothing",
  ]);
});

test("the header names the paths, after the time where there is one", () => {
  const columns = columnsOf("name, detail.Driver Version");
  expect(csvHeader(columns, false)).toBe("name,detail.Driver Version\n");
  expect(csvHeader(columns, true)).toBe("timestamp,name,detail.Driver Version\n");
});

test.each(["", "name,", ",name", "detail.", ".name", "a..b", " , "])("%p is no query", (query) => {
  expect(parseColumns(query)).toBeNull();
});
