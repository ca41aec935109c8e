import { HEADER_BYTES } from "./metrics_layouts.ts";
import { isUnknown, readNumber, type Values } from "./metrics_values.ts";

/**
 * From 1.9 on the table describes itself: the number of attributes (u32), then of each a u64 that says what it is (unit
 * from bit 24 on, type from 20, name from 10, how many of it from 0), and its numbers right behind that.
 */
const FIRST_VERSION = "1.9";

/** Bytes of a number by its type; every second type is signed. */
const WIDTHS = [1, 1, 2, 2, 4, 4, 8, 8];

/** By `enum amdgpu_metrics_attr_id` of the kernel. */
const NAMES = new Map([
  [0, "hotspot"],
  [1, "memory"],
  [3, "power"],
  [4, "gfx_busy"],
  [5, "memory_busy"],
  [10, "prochot"],
  [11, "ppt"],
  [12, "socket_thermal"],
  [13, "vr_thermal"],
  [14, "memory_thermal"],
  [16, "link_width"],
  [17, "link_speed"],
  [18, "xgmi_width"],
  [19, "xgmi_speed"],
  [31, "xgmi_status"],
  [33, "gfxclk"],
  [35, "vclk"],
  [37, "uclk"],
]);

/** `null`: it is of another version, or cut off. */
export function parseAttributes(bytes: Buffer, version: string): Values | null {
  if (version !== FIRST_VERSION || bytes.length < HEADER_BYTES + 4) return null;
  const values = new Map<string, bigint[]>();
  let at = HEADER_BYTES + 4;
  for (let left = bytes.readUInt32LE(HEADER_BYTES); left > 0; left--) {
    if (at + 8 > bytes.length) return null;
    const what = Number(bytes.readBigUInt64LE(at) & 0xff_ff_ff_ffn);
    const width = WIDTHS[(what >> 20) & 0xf];
    const count = what & 0x3ff;
    at += 8;
    if (width === undefined || at + width * count > bytes.length) return null;
    const name = NAMES.get((what >> 10) & 0x3ff);
    const start = at;
    at += width * count;
    if (name === undefined) continue;
    const numbers = Array.from({ length: count }, (_, i) => readNumber(bytes, start + i * width, width));
    values.set(
      name,
      numbers.filter((value) => !isUnknown(value, width)),
    );
  }
  return (name) => values.get(name) ?? [];
}
