/**
 * The versions of what the driver writes into `gpu_metrics`, as the kernel's kgd_pp_interface.h has them: little-endian,
 * every field aligned to its own size. `name[8]` is an array, `-` a field that nobody here reads.
 */

export interface Place {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly count: number;
}

export interface Layout {
  /** Of the whole structure, as its header says. */
  readonly size: number;
  readonly places: ReadonlyMap<string, Place>;
}

/** Structure size, format and content revision. */
export const HEADER_BYTES = 4;

const DISCRETE_TEMPERATURES = "u16 edge hotspot memory -[3]";
const DISCRETE_CLOCKS = "u16 -[7] gfxclk - uclk vclk -[3]";
const DISCRETE_LINK = "u16 fan_rpm link_width link_speed -";

const V1_1 = [
  DISCRETE_TEMPERATURES,
  "u16 gfx_busy memory_busy - power",
  "u64 - -",
  DISCRETE_CLOCKS,
  "u32 -",
  DISCRETE_LINK,
  "u32 - -",
  "u16 -[4]",
];

const INSTINCT_BEGIN = "u16 hotspot memory - power gfx_busy memory_busy";
const INSTINCT_LINK = ["u32 -", "u16 link_width link_speed xgmi_width xgmi_speed", "u32 - -", "u64 -[5]"];
const INSTINCT_CLOCKS = "u16 gfxclk[8] -[4] vclk[4] -[4] uclk -";
const RESIDENCIES = "u32 - prochot ppt socket_thermal vr_thermal memory_thermal";

/** So many partitions there can be. */
export const MOST_PARTITIONS = 8;

/** Of each partition how busy its dies are, and more that nobody here reads. */
const partitions = (bytes: number): string[] => [
  "u64 -[0]",
  ...Array.from({ length: MOST_PARTITIONS }, (_, n) => [`u32 partition${n}[8]`, `u64 -[${(bytes - 32) / 8}]`]).flat(),
];

/** MI300 with the counters of its throttlers, by the bytes of what it says of each of its partitions. */
const partitioned = (between: readonly string[], xgmi: readonly string[], partitionBytes: number): string[] => [
  INSTINCT_BEGIN,
  ...between,
  "u64 - -",
  RESIDENCIES,
  ...INSTINCT_LINK,
  "u32 - -",
  "u64 -[16]",
  ...xgmi,
  "u64 -",
  "u16 gfxclk[8] -[4] vclk[4] -[4] uclk partitions",
  ...partitions(partitionBytes),
  "u32 -",
];

const XGMI_STATUS = ["u16 xgmi_status[8] -"];
const MAXIMAL_BANDWIDTH = ["u64 -"];

/** Of APUs their units differ from chip to chip, but for clocks; hwmon has the rest in known ones. */
const APU_BEGIN = "u16 -[14]";
const APU_POWER = "u16 -[12]";
const APU_CLOCKS = "u16 -[6] gfxclk - uclk - vclk - -[10]";
const V2_1 = [APU_BEGIN, "u64 -", APU_POWER, APU_CLOCKS, "u32 -", "u16 - -[3]"];
const V2_3 = [...V2_1, "u64 throttle", "u16 -[12]"];

const VERSIONS: ReadonlyArray<readonly [version: string, fields: readonly string[]]> = [
  [
    "1.0",
    [
      "u64 -",
      DISCRETE_TEMPERATURES,
      "u16 gfx_busy memory_busy - power",
      "u32 -",
      DISCRETE_CLOCKS,
      "u32 -",
      "u16 fan_rpm",
      "u8 link_width link_speed",
    ],
  ],
  ["1.1", V1_1],
  ["1.2", [...V1_1, "u64 -"]],
  ["1.3", [...V1_1, "u64 -", "u16 -[4]", "u64 throttle"]],
  [
    "1.4",
    [INSTINCT_BEGIN, "u16 -[4]", "u64 - -", "u32 instinct_throttle", ...INSTINCT_LINK, "u64 -[16] -", INSTINCT_CLOCKS],
  ],
  [
    "1.5",
    [
      INSTINCT_BEGIN,
      "u16 -[36]",
      "u64 - -",
      "u32 instinct_throttle",
      ...INSTINCT_LINK,
      "u32 - -",
      "u64 -[16] -",
      INSTINCT_CLOCKS,
    ],
  ],
  // The first kernels with 1.6 have another one than those after them.
  [
    "1.6",
    [
      INSTINCT_BEGIN,
      "u16 -[36]",
      "u64 - -",
      RESIDENCIES,
      "u32 instinct_throttle",
      ...INSTINCT_LINK,
      "u32 - -",
      "u64 -[16] -",
      INSTINCT_CLOCKS,
    ],
  ],
  ["1.6", partitioned([], [], 168)],
  ["1.7", partitioned(MAXIMAL_BANDWIDTH, XGMI_STATUS, 232)],
  ["1.8", partitioned(MAXIMAL_BANDWIDTH, XGMI_STATUS, 440)],
  ["2.0", ["u64 -", APU_BEGIN, APU_POWER, APU_CLOCKS, "u32 -", "u16 - -"]],
  ["2.1", V2_1],
  ["2.2", [...V2_1, "u64 throttle"]],
  ["2.3", V2_3],
  ["2.4", [...V2_3, "u16 -[6]"]],
  [
    "3.0",
    [
      "u16 -[49]",
      "u64 -",
      "u32 -",
      "u16 -",
      "u32 - - - -",
      "u16 -[16] - - -",
      "u16 gfxclk -[4] vclk uclk -",
      "u16 -[16] - -",
      "u32 prochot spl fppt sppt core_thermal gfx_thermal soc_thermal -",
    ],
  ],
];

const SIZES = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;
const isType = (word: string): word is keyof typeof SIZES => word in SIZES;

/** By version; of some there are two, which their sizes tell apart. */
export const LAYOUTS: ReadonlyMap<string, readonly Layout[]> = compileAll();

function compileAll(): Map<string, Layout[]> {
  const layouts = new Map<string, Layout[]>();
  for (const [version, fields] of VERSIONS) {
    layouts.set(version, [...(layouts.get(version) ?? []), compile(fields)]);
  }
  return layouts;
}

function compile(lines: readonly string[]): Layout {
  const places = new Map<string, Place>();
  let end = HEADER_BYTES;
  let widest = 2;
  for (const line of lines) {
    const [type = "", ...fields] = line.split(" ");
    if (!isType(type)) throw new Error(line);
    const bytes = SIZES[type];
    widest = Math.max(widest, bytes);
    for (const field of fields) {
      const [, name = "", length = "1"] = /^([a-z0-9_-]+)(?:\[(\d+)\])?$/.exec(field) ?? [];
      const offset = alignUp(end, bytes);
      if (name !== "-") places.set(name, { offset, bytes, count: Number(length) });
      end = offset + bytes * Number(length);
    }
  }
  return { size: alignUp(end, widest), places };
}

function alignUp(offset: number, bytes: number): number {
  return Math.ceil(offset / bytes) * bytes;
}
