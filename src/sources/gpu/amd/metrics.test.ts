import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openGpus } from "../../../../test/fixtures/gpus/open.ts";
import { parseMetrics } from "./metrics.ts";
import { LAYOUTS } from "./metrics_layouts.ts";

function recorded(name: string, card = "card1"): Buffer {
  using machine = openGpus(name);
  return readFileSync(`${machine.root}/sys/class/drm/${card}/device/gpu_metrics`);
}

/** Of a version, with these fields, and the others not known. */
function table(version: string, fields: Readonly<Record<string, readonly number[]>>, layoutOf = 0): Buffer {
  const layout = LAYOUTS.get(version)?.[layoutOf];
  if (layout === undefined) throw new Error(version);
  const bytes = Buffer.alloc(layout.size, 0xff);
  const [format = 0, content = 0] = version.split(".").map(Number);
  bytes.writeUInt16LE(layout.size, 0);
  bytes.set([format, content], 2);
  for (const [name, values] of Object.entries(fields)) {
    const place = layout.places.get(name);
    if (place === undefined) throw new Error(name);
    for (const [i, value] of values.entries()) {
      const at = place.offset + i * place.bytes;
      if (place.bytes === 8) bytes.writeBigUInt64LE(BigInt(value), at);
      else bytes.writeUIntLE(value, at, place.bytes);
    }
  }
  return bytes;
}

const NOTHING = {
  edge: null,
  hotspot: null,
  memory: null,
  gfx_busy: null,
  memory_busy: null,
  power: null,
  gfxclk: null,
  uclk: null,
  vclk: null,
  fan_rpm: null,
  link_width: null,
  link_generation: null,
  xgmi: null,
  partitions: null,
  throttle: null,
  residencies: null,
};

test("1.3, of a real RX 6900 XT", () => {
  expect(parseMetrics(recorded("amd-rx6900xt", "card0"))).toEqual({
    version: "1.3",
    edge: 56,
    hotspot: 59,
    memory: 54,
    gfx_busy: 3,
    memory_busy: 0,
    power: 36,
    gfxclk: 500,
    uclk: 1000,
    vclk: 0,
    fan_rpm: 0,
    link_width: 16,
    link_generation: 4,
    xgmi: null,
    partitions: null,
    throttle: [],
    residencies: null,
  });
});

test("1.8, of an MI300X: of its eight dies the fastest, counters of its throttlers", () => {
  expect(parseMetrics(recorded("amd-mi300x"))).toEqual({
    ...NOTHING,
    version: "1.8",
    hotspot: 68,
    memory: 56,
    gfx_busy: 99,
    memory_busy: 41,
    power: 702,
    gfxclk: 2111,
    uclk: 1300,
    vclk: 29,
    link_width: 16,
    link_generation: 5,
    xgmi: { width: 16, gbps: 32, active: null, known: 0 },
    residencies: { power: 5512, thermal: 25 },
  });
});

test("2.1, of an APU: its clocks only, as the units of the rest differ from chip to chip", () => {
  const clocks = { version: "2.1", gfxclk: 1798, uclk: 800, vclk: 400 };
  expect(parseMetrics(recorded("amd-radeon-780m"))).toEqual({ ...NOTHING, ...clocks });
});

test("what is not known is not known, in every version", () => {
  for (const [version, layouts] of LAYOUTS) {
    for (const [i] of layouts.entries()) expect(parseMetrics(table(version, {}, i))).toEqual({ ...NOTHING, version });
  }
});

test("nonsense is not known", () => {
  const odd = { edge: [60_000], gfx_busy: [101], power: [0], link_width: [63], link_speed: [7], gfxclk: [65_000] };
  expect(parseMetrics(table("1.3", odd))).toEqual({ ...NOTHING, version: "1.3" });
});

test("why it is slower than asked: by bits that mean the same on every card, by those of MI300", () => {
  const common = (bit: number) => parseMetrics(table("1.3", { throttle: [2 ** bit] }))?.throttle;
  expect([0, 7, 16, 23, 32, 47, 56, 57, 8].map(common)).toEqual([
    ["power"],
    ["power"],
    ["power"],
    ["power"],
    ["thermal"],
    ["thermal"],
    ["power"],
    ["hardware"],
    [],
  ]);
  expect(parseMetrics(table("2.3", { throttle: [2 ** 36 + 1] }))?.throttle).toEqual(["power", "thermal"]);
  const instinct = (bits: number) => parseMetrics(table("1.5", { instinct_throttle: [bits] }))?.throttle;
  expect([0, 1, 2, 4, 0b10010].map(instinct)).toEqual([[], ["thermal"], ["power"], ["thermal"], ["power", "thermal"]]);
});

test("counters that go on while it is held back", () => {
  const counters = { ppt: [10], prochot: [1], socket_thermal: [2], vr_thermal: [3], memory_thermal: [4] };
  for (const [version, layout] of [
    ["1.6", 0],
    ["1.6", 1],
    ["1.7", 0],
  ] as const) {
    expect(parseMetrics(table(version, counters, layout))?.residencies).toEqual({ power: 10, thermal: 10 });
  }
  const apu = { spl: [1], fppt: [2], sppt: [4], soc_thermal: [8] };
  expect(parseMetrics(table("3.0", apu))?.residencies).toEqual({ power: 7, thermal: 8 });
});

test("links to other cards: how wide, how fast, and how many of those that are known are up", () => {
  const xgmi = (fields: Readonly<Record<string, readonly number[]>>) => parseMetrics(table("1.7", fields))?.xgmi;
  const links = { xgmi_width: [16], xgmi_speed: [32], xgmi_status: [1, 1, 0, 1, 1, 1, 1, 1] };
  expect(xgmi(links)).toEqual({ width: 16, gbps: 32, active: 7, known: 8 });
  expect(xgmi({ ...links, xgmi_status: [2, 2] })).toEqual({ width: 16, gbps: 32, active: null, known: 0 });
  expect(xgmi({ xgmi_width: [0], xgmi_speed: [0], xgmi_status: [0xffff, 0] })).toEqual({
    ...{ width: null, gbps: null, active: 0, known: 1 },
  });
  expect(xgmi({ xgmi_width: [0], xgmi_speed: [0] })).toBeNull();
});

test("partitions are as busy as their dies are on average; one that does not say is not known", () => {
  for (const version of ["1.6", "1.7", "1.8"]) {
    const busy = (fields: Readonly<Record<string, readonly number[]>>) =>
      parseMetrics(table(version, fields, version === "1.6" ? 1 : 0))?.partitions;
    const dies = { partition0: [100, 50, 0, 25], partition1: [101], partition7: [3] };
    expect(busy({ ...dies, partitions: [2] })).toEqual([44, null]);
    expect(busy({ ...dies, partitions: [8] })).toEqual([44, null, null, null, null, null, null, 3]);
    for (const partitions of [[0], [1], [9], []]) expect(busy({ ...dies, partitions })).toBeNull();
  }
});

test("a table that is cut off, or of a version or size that is not known, says nothing", () => {
  const whole = table("1.3", { edge: [50] });
  expect(parseMetrics(whole)?.edge).toBe(50);
  for (const length of [0, 3, 4, 60, whole.length - 1]) expect(parseMetrics(whole.subarray(0, length))).toBeNull();
  const other = Buffer.from(whole);
  other.writeUInt16LE(whole.length + 8, 0);
  expect(parseMetrics(Buffer.concat([other, Buffer.alloc(64)]))).toBeNull();
  expect(parseMetrics(Buffer.from([...whole.subarray(0, 3), 77, ...whole.subarray(4)]))).toBeNull();
  expect(parseMetrics(null)).toBeNull();
});

test("a file that the kernel fills up to a page is what its header says", () => {
  const page = Buffer.concat([recorded("amd-rx6900xt", "card0"), Buffer.alloc(4096 - 120)]);
  expect(parseMetrics(page)?.hotspot).toBe(59);
});

/** An attribute and its numbers, as 1.9 has them. */
function attribute(id: number, type: number, numbers: readonly number[]): Buffer {
  const bytes = [1, 1, 2, 2, 4, 4, 8, 8][type] ?? 0;
  const whole = Buffer.alloc(8 + bytes * numbers.length);
  whole.writeBigUInt64LE((BigInt(type) << 20n) | (BigInt(id) << 10n) | BigInt(numbers.length), 0);
  for (const [i, number] of numbers.entries()) {
    if (bytes === 8) whole.writeBigUInt64LE(BigInt.asUintN(64, BigInt(number)), 8 + 8 * i);
    else whole.writeUIntLE(number < 0 ? number + 2 ** (8 * bytes) : number, 8 + bytes * i, bytes);
  }
  return whole;
}

const described = (...attributes: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 1, 9, attributes.length, 0, 0, 0]), ...attributes]);

test("1.9 describes itself: what is known of it is taken, whatever else there is", () => {
  const bytes = described(
    attribute(0, 2, [61]),
    attribute(999, 0, [1, 2, 3]),
    attribute(3, 2, [812]),
    attribute(11, 4, [77]),
    attribute(33, 2, [1200, 0xffff, 1300]),
    attribute(1, 2, [0xffff]),
    attribute(16, 2, [16]),
  );
  const said = { hotspot: 61, power: 812, gfxclk: 1300, link_width: 16, residencies: { power: 77, thermal: 0 } };
  expect(parseMetrics(bytes)).toEqual({ ...NOTHING, version: "1.9", ...said });
  for (let length = 4; length < bytes.length; length++) expect(parseMetrics(bytes.subarray(0, length))).toBeNull();
});
