import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { nvidiaFrame } from "../../test/frames.ts";
import { decodeBytes, decodeLine, type Line, parseTime } from "./decode.ts";
import { frameLine } from "./encode.ts";
import type { Fields } from "./field.ts";
import type { Frame } from "./frame.ts";
import { eventFields, scrapeFields, sections } from "./schema.ts";

const KINDS = ["frame", "header", "index", "refused", "bad"];
const T = "2026-04-18T12:02:06.000Z";

const lineOf = (value: object): string => JSON.stringify({ schema: 1, t: T, ...value });

function frameOf(line: Line): Frame {
  if (line.kind !== "frame") throw new Error(JSON.stringify(line));
  return line.frame;
}

const decoded = (value: object): Frame => frameOf(decodeLine(lineOf(value)));
const firstGpu = (gpu: unknown) => decoded({ gpus: [gpu] }).gpus?.[0];

const TYPES: Record<string, (value: unknown) => boolean> = {
  text: (value) => typeof value === "string",
  platform: (value) => typeof value === "string",
  choice: (value) => typeof value === "string",
  integer: Number.isFinite,
  float: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
  texts: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  floats: (value) => Array.isArray(value) && value.every((one) => one === null || Number.isFinite(one)),
  labels: (value) => Object.values(value as object).every((one) => typeof one === "string"),
};

/** Whether a device holds nothing but what our types say; throws where it does not. */
function checkDevice(device: object, fields: Fields): void {
  expect(Object.keys(device).filter((key) => !(key in fields))).toEqual([]);
  for (const [key, field] of Object.entries(fields)) {
    const value = (device as Record<string, unknown>)[key];
    if (value === undefined && field.presence === "extension") continue;
    if (value === null && field.unknown !== "never") continue;
    if (field.fields === undefined) expect([key, value, TYPES[field.kind]?.(value)]).toEqual([key, value, true]);
    else
      for (const one of field.kind === "list" ? (value as object[]) : [value]) checkDevice(one as object, field.fields);
  }
}

function checkFrame(frame: Frame): void {
  for (const [name, fields] of Object.entries({ ...sections, scrapes: scrapeFields, events: eventFields })) {
    for (const device of (frame as unknown as Record<string, object[]>)[name] ?? []) checkDevice(device, fields);
  }
  expect([typeof frame.hostname, Number.isFinite(frame.t_ms), Array.isArray(frame.errors)]).toEqual([
    "string",
    true,
    true,
  ]);
}

/** Whatever a line holds: an answer, and where it is a frame, one that holds to its types and can be written again. */
function survives(text: string): void {
  const line = decodeLine(text);
  expect(KINDS).toContain(line.kind);
  if (line.kind !== "frame") return;
  checkFrame(line.frame);
  const again = frameOf(decodeLine(frameLine(line.frame)));
  expect(again.t_ms).toBe(line.frame.t_ms);
}

describe("rubbish", () => {
  const keys = fc.constantFrom(
    ...Object.keys(sections).concat("t", "seq", "elapsed_ms", "source", "hostname", "errors", "scrapes", "events"),
  );
  const deviceKeys = fc.constantFrom(
    ...Object.values(sections).flatMap((fields) => Object.keys(fields)),
    ...["unknown", "__proto__", "constructor", "toString", "length"],
  );
  const wrong = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 1e308, -0, 2 ** 64, "0", [], {}, [[]], [null]));
  const devices = fc.oneof(
    fc.array(fc.oneof(fc.dictionary(deviceKeys, wrong), wrong)),
    fc.dictionary(deviceKeys, wrong),
    wrong,
  );

  test("any text", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), survives));
  });

  test("frames of wrong types", () => {
    fc.assert(
      fc.property(fc.dictionary(keys, devices), (value) => survives(lineOf(value))),
      { numRuns: 200 },
    );
  });

  test("frames with one value replaced", () => {
    fc.assert(
      fc.property(frameArbitrary, fc.integer({ min: 1, max: 200 }), wrong, (frame, target, value) => {
        let n = 0;
        const replace = (_: string, one: unknown) => (n++ === target ? value : one);
        survives(JSON.stringify(JSON.parse(frameLine(frame)), replace));
      }),
      { numRuns: 200 },
    );
  });

  test("lines with bytes changed, taken out and doubled", () => {
    const line = Buffer.from(frameLine(nvidiaFrame));
    const edit = fc.tuple(fc.nat(line.length - 1), fc.nat(30), fc.uint8Array({ maxLength: 3 }));
    fc.assert(
      fc.property(edit, ([at, length, bytes]) => {
        survives(Buffer.concat([line.subarray(0, at), bytes, line.subarray(at + length)]).toString());
        survives(Buffer.concat([line.subarray(0, at), line.subarray(Math.max(0, at - length))]).toString());
      }),
      { numRuns: 200 },
    );
  });

  test("nesting without end", () => {
    const deep = 1e6;
    for (const text of ["[".repeat(deep), '{"a":'.repeat(deep), `{"schema":1,"t":"${T}","gpus":${"[".repeat(deep)}`]) {
      expect(decodeLine(text).kind).toBe("bad");
    }
    const nested = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    survives(`{"schema":1,"t":"${T}","gpus":${nested},"errors":${nested},"cpus":[{"platform_type":${nested}}]}`);
  });

  test("millions of empty devices, which would take a hundred times the memory of their text", () => {
    const line = (count: number) => `{"schema":1,"t":"${T}","gpus":[${Array(count).fill("{}").join(",")}]}`;
    expect(decodeLine(line(1 << 20))).toEqual({ kind: "bad", reason: "too many objects and lists" });
    expect(frameOf(decodeLine(line(1000))).gpus?.length).toBe(1000);
  });

  test("numbers that JSON can write and nothing can hold", () => {
    const text = `{"schema":1,"t":"${T}","seq":1e999,"gpus":[{"uuid":"a","utilization":1e999,"used_memory":-1e999}]}`;
    const frame = frameOf(decodeLine(text));
    expect([frame.seq, frame.gpus?.[0]?.utilization, frame.gpus?.[0]?.used_memory]).toEqual([null, null, null]);
  });

  test("names of what every object has are labels like others, and change no prototype", () => {
    const gpu = `{"uuid":"a","__proto__":{"polluted":1},"detail":{"__proto__":"b","constructor":"c"}}`;
    const frame = frameOf(decodeLine(`{"__proto__":{"seq":5},"schema":1,"t":"${T}","gpus":[${gpu}]}`));
    const detail = frame.gpus?.[0]?.detail ?? {};
    expect(Object.entries(detail)).toEqual([
      ["__proto__", "b"],
      ["constructor", "c"],
    ]);
    expect([frame.seq, "polluted" in {}, "polluted" in (frame.gpus?.[0] ?? {})]).toEqual([null, false, false]);
    expect(frameLine(frame)).toContain('"__proto__":"b"');
  });
});

const kindOf = (text: string) => decodeLine(text).kind;
const WRONG_TYPE: Line = { kind: "bad", reason: "a value of a wrong type" };

describe("kinds of line", () => {
  test("another schema is refused, whatever else the line holds", () => {
    expect(decodeLine('{"schema":2,"timestamp":"2026-01-01T00:00:00Z","hostname":"x"}')).toEqual({
      kind: "refused",
      schema: 2,
    });
    for (const schema of [0, -1, 1.5, 3]) {
      expect(decodeLine(JSON.stringify({ schema, header: true }))).toEqual({ kind: "refused", schema });
    }
  });

  test.each([
    '{"schema":"1"}',
    '{"schema":null}',
    "{}",
    '{"schema":[1]}',
    "[]",
    "1",
    "null",
    '"{}"',
    "",
    " ",
    "{",
    "\0",
  ])("%p is bad", (text) => expect(kindOf(text)).toBe("bad"));

  test("a header and an index line are known by their key, wherever it stands", () => {
    expect(kindOf('{"all_smi_version":"0.28.1","header":true,"hosts":[],"interval_ms":1000,"schema":1}')).toBe(
      "header",
    );
    expect(kindOf('{"byte_offset":1234567,"index":true,"schema":1,"seq":1000}')).toBe("index");
    expect(kindOf(lineOf({ header: false, index: null }))).toBe("frame");
    for (const mark of [{ header: "true" }, { index: 1 }]) expect(decodeLine(lineOf(mark))).toEqual(WRONG_TYPE);
  });

  test("a frame needs a time, of ours or of the Rust tool's", () => {
    expect(decodeLine('{"schema":1,"hostname":"a"}')).toEqual({ kind: "bad", reason: "no time" });
    expect(frameOf(decodeLine('{"schema":1,"timestamp":"2026-04-18T12:02:06Z"}')).t_ms).toBe(Date.parse(T));
    expect(frameOf(decodeLine(`{"schema":1,"t":"?","timestamp":"${T}"}`)).t_ms).toBe(Date.parse(T));
    expect(decodeLine(`{"schema":1,"t":7,"timestamp":"${T}"}`)).toEqual(WRONG_TYPE);
  });
});

test.each([
  ["2026-04-18T12:02:06.250Z", Date.UTC(2026, 3, 18, 12, 2, 6, 250)],
  ["2026-04-18T21:02:06+09:00", Date.UTC(2026, 3, 18, 12, 2, 6)],
  ["2026-04-18T12:02:06.123456789Z", Date.UTC(2026, 3, 18, 12, 2, 6, 123)],
  ["9999-12-31T23:59:59-23:59", null],
  ["0000-01-01T00:00:00+01:00", null],
  ["2026-04-18T12:02:06", null],
  ["2026-04-18", null],
  ["2026-13-18T12:02:06Z", null],
  ["2026-02-31T12:02:06Z", null],
  ["2026-02-29T12:02:06Z", null],
  ["2100-02-29T12:02:06Z", null],
  ["2024-02-29T12:02:06Z", Date.UTC(2024, 1, 29, 12, 2, 6)],
  ["2000-02-29T12:02:06Z", Date.UTC(2000, 1, 29, 12, 2, 6)],
  ["2026-04-31T12:02:06+09:00", null],
  ["2026-04-18T24:00:00Z", null],
  ["2026-04-18T23:59:60Z", null],
  ["yesterday", null],
  [0, null],
  [null, null],
])("the time %p", (text, t_ms) => {
  expect(parseTime(text)).toBe(t_ms);
});

describe("a value of a wrong type, wherever it stands, makes the line none", () => {
  const objects: [where: string, value: object][] = [
    ["seq", { seq: "1" }],
    ["elapsed_ms", { elapsed_ms: [1] }],
    ["source", { source: 1 }],
    ["hostname", { hostname: 1 }],
    ["errors", { errors: "none" }],
    ["one of the errors", { errors: ["x", 1] }],
    ["the message of an error", { errors: [{ message: 1 }] }],
    ["scrapes", { scrapes: {} }],
    ["events", { events: "none" }],
    ["a text of a scrape", { scrapes: [{ host: 1 }] }],
    ["a device", { gpus: [5] }],
    ["a list as a device", { memory: [[]] }],
    ["a text", { gpus: [{ uuid: 1 }] }],
    ["an optional text", { gpus: [{ uuid: "a", gsp_firmware_version: 1 }] }],
    ["a number", { gpus: [{ uuid: "a", temperature: "41" }] }],
    [
      "a number that its device says is unknown",
      { gpus: [{ uuid: "a", total_memory: "0", unknown: ["total_memory"] }] },
    ],
    ["what is unknown", { gpus: [{ uuid: "a", unknown: "total_memory" }] }],
    ["an identifier", { processes: [{ pid: "1" }] }],
    ["a boolean", { processes: [{ pid: 1, uses_gpu: 1 }] }],
    ["a choice", { chassis: [{ psu_status: [{ id: 1, status: 1 }] }] }],
    ["labels", { gpus: [{ uuid: "a", detail: [] }] }],
    ["one of the labels", { gpus: [{ uuid: "a", detail: { a: "b", c: {} } }] }],
    ["timestamp", { timestamp: 5 }],
    ["a platform", { cpus: [{ platform_type: 1 }] }],
    ["an object", { gpus: [{ uuid: "a", health: 5 }] }],
    ["in an object", { gpus: [{ uuid: "a", health: { ecc: [] } }] }],
    ["texts", { gpus: [{ uuid: "a", health: { throttle: "power" } }] }],
    ["one of the texts", { gpus: [{ uuid: "a", health: { throttle: [1] } }] }],
    ["numbers", { cpus: [{ load_average: 1 }] }],
    ["one of the numbers", { cpus: [{ load_average: [1, "2", 3] }] }],
    ["in a list", { cpus: [{ per_core_utilization: [{ core_id: 1, utilization: true }] }] }],
    ["a list", { cpus: [{ per_core_utilization: {} }] }],
  ];
  test.each(objects)("%s", (_where, value) => expect(decodeLine(lineOf(value))).toEqual(WRONG_TYPE));

  test("not where the schema does not know the key, or the value is null", () => {
    const unknown = { later: 5, gpus: [{ uuid: "a", later: [], temperature: null, detail: { a: 1, b: true } }] };
    expect(kindOf(lineOf({ ...unknown, hostname: null, errors: null, events: null, memory: null }))).toBe("frame");
  });

  test("bytes that are no UTF-8 make it none, a byte order mark does not", () => {
    const line = Buffer.from(lineOf({ hostname: "a" }));
    const wrong = Buffer.from(line);
    wrong[wrong.indexOf('"a"') + 1] = 0xff;
    expect(decodeBytes(wrong, 0, wrong.length)).toEqual({ kind: "bad", reason: "no UTF-8" });
    const marked = Buffer.concat([Buffer.from("\n\ufeff"), line]);
    expect(frameOf(decodeBytes(marked, 1, marked.length)).hostname).toBe("a");
  });
});

test.each([-1, -0.6, 2 ** 32, 2 ** 32 - 0.4, 2 ** 53, 1e300, null])("%p identifies no process", (pid) => {
  const line = { schema: 1, t: "2026-04-18T12:02:06Z", processes: [{ pid }, { pid: 2 ** 32 - 1 }, { pid: -0.4 }] };
  expect(decodeLine(JSON.stringify(line))).toMatchObject({ frame: { processes: [{ pid: 2 ** 32 - 1 }, { pid: 0 }] } });
});

test.each(["seq", "elapsed_ms"] as const)("%s is unknown where nothing could be counted from it", (key) => {
  const read = (value: number) => decoded({ [key]: value })[key];
  expect([2 ** 52 - 1, 2 ** 52, 2 ** 53 - 1, -1].map(read)).toEqual([2 ** 52 - 1, null, null, null]);
});

describe("shapes that others write", () => {
  test("a lone object is a list of one", () => {
    const { memory, chassis } = decoded({ memory: { hostname: "a", total_bytes: 5 }, chassis: { hostname: "b" } });
    expect([memory?.length, memory?.[0]?.total_bytes, chassis?.[0]?.hostname]).toEqual([1, 5, "b"]);
  });

  test("a section that is null was not asked for; one of no devices is no section", () => {
    expect(decoded({ gpus: null })).not.toHaveProperty("gpus");
    expect(decodeLine(lineOf({ gpus: "none" })).kind).toBe("bad");
  });

  test("errors of the Rust tool become texts", () => {
    const errors = [
      { section: "gpu", kind: "timeout", message: "no answer" },
      { kind: "panic", message: "alone" },
      "cpu: ours",
      ...[{ section: "gpu" }, null],
    ];
    expect(decoded({ errors }).errors).toEqual(["gpu: no answer", "alone", "cpu: ours"]);
  });

  test("sentinels and listed names are unknown, and only under their own keys", () => {
    const gpu = firstGpu({
      ...{ uuid: "a", utilization: -1, ane_utilization: 0, temperature: 0, frequency: 0, power_consumption: -1 },
      ...{ used_memory: 0, total_memory: 0, fan_speed_rpm: 0, unknown: ["total_memory", "temperature_threshold", 5] },
    });
    const { utilization, ane_utilization, temperature, frequency, power_consumption } = gpu ?? {};
    expect([utilization, ane_utilization, temperature, frequency, power_consumption]).toEqual([
      null,
      0,
      null,
      null,
      null,
    ]);
    expect([gpu?.used_memory, gpu?.total_memory, gpu?.fan_speed_rpm]).toEqual([0, null, 0]);
  });

  test("what only we measure is absent where it is absent, and unknown where it is null", () => {
    expect(firstGpu({ uuid: "a" })).not.toHaveProperty("index");
    expect(firstGpu({ uuid: "a", index: null, health: null, lost: null })).toMatchObject({
      ...{ uuid: "a", index: null, health: null, lost: null },
    });
  });

  test("a device without what identifies it is none", () => {
    const cores = [{ core_id: 3, utilization: 1 }, { utilization: 2 }, { core_id: -1 }, null];
    const frame = decoded({
      processes: [{ pid: 4 }, { process_name: "x" }, null],
      cpus: [{ per_core_utilization: cores }],
    });
    expect(frame.processes?.map(({ pid }) => pid)).toEqual([4]);
    expect(frame.cpus?.[0]?.per_core_utilization.map(({ core_id }) => core_id)).toEqual([3]);
  });
});

describe("recordings of the Rust tool", () => {
  const read = (name: string): Line[] =>
    readFileSync(resolve(import.meta.dir, `../../test/fixtures/rust/${name}`), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(decodeLine);

  test.each([
    ["nvidia.2hosts.ndjson", 4],
    ["amd.2hosts.ndjson", 4],
    ["apple.2hosts.ndjson", 4],
    ["gaudi.2hosts.ndjson", 4],
    ["jetson.2hosts.ndjson", 4],
    ["linux-no-gpu.ndjson", 4],
    ["killed.ndjson", 8],
  ])("%s holds a header and %d frames", (name, frames) => {
    const kinds = read(name).map(({ kind }) => kind);
    expect(kinds).toEqual(["header", ...Array<"frame">(frames).fill("frame")]);
  });

  test("values stand where they belong", () => {
    const frame = frameOf(read("linux-no-gpu.ndjson")[1] ?? { kind: "bad", reason: "no line" });
    const { seq, elapsed_ms, source, hostname, t_ms, gpus } = frame;
    expect({ seq, elapsed_ms, source, hostname, t_ms, gpus }).toEqual({
      ...{ seq: null, elapsed_ms: null, source: null, hostname: "vm", gpus: [] },
      t_ms: Date.UTC(2026, 10, 24, 1, 24, 7),
    });
    expect(frame.cpus?.[0]).toMatchObject({
      ...{ cpu_model: "AMD EPYC", platform_type: "Amd", temperature: null, base_frequency_mhz: 2596 },
      ...{ utilization: 31.589189529418945, total_threads: 2 },
    });
    expect(frame.memory?.[0]).toMatchObject({ total_bytes: 25276514304, swap_total_bytes: 0 });
  });

  test("hosts are told apart", () => {
    const frame = frameOf(read("nvidia.2hosts.ndjson")[1] ?? { kind: "bad", reason: "no line" });
    expect(new Set(frame.gpus?.map(({ host_id }) => host_id))).toEqual(new Set(["localhost:22001", "localhost:22002"]));
    expect([frame.hostname, frame.gpus?.length, frame.processes]).toEqual(["remote", 16, undefined]);
    expect(frame.gpus?.every(({ power_consumption, total_memory }) => power_consumption !== null && total_memory)).toBe(
      true,
    );
  });
});
