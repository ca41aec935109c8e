import { expect, test } from "bun:test";
import { parseFdinfo } from "./fdinfo.ts";

/** Of a kernel before 6.13: engines that did nothing are not listed. */
const AMDGPU = `pos:	0
flags:	02100002
mnt_id:	26
ino:	1043
pasid:	32776
drm-driver:	amdgpu
drm-pdev:	0000:03:00.0
drm-client-id:	9
drm-memory-vram:	153708 KiB
drm-memory-gtt: 	7220 KiB
drm-memory-cpu: 	0 KiB
amd-memory-visible-vram:	118464 KiB
amd-evicted-vram:	0 KiB
drm-engine-gfx:	1513876544 ns
drm-engine-enc_1:	44 ns
`;

/** From the examples in the kernel's documentation and in proc_pid_fdinfo(5). */
const XE = `drm-driver:	xe
drm-client-id:	3
drm-pdev:	0000:03:00.0
drm-total-gtt:	192 KiB
drm-resident-gtt:	192 KiB
drm-total-vram0:	23992 KiB
drm-shared-vram0:	16 MiB
drm-active-vram0:	0
drm-resident-vram0:	23 MiB
drm-cycles-rcs:	28257900
drm-total-cycles-rcs:	7655183225
drm-cycles-ccs:	0
drm-total-cycles-ccs:	7655183225
drm-engine-capacity-ccs:	4
`;

const I915 = `drm-driver:	i915
drm-client-id:	39
drm-pdev:	0000:00:02.0
drm-total-system0:	6044 KiB
drm-resident-system0:	6044 KiB
drm-purgeable-system0:	1688 KiB
drm-resident-stolen-system0:	0
drm-engine-render:	346249 ns
drm-engine-video:	0 ns
drm-engine-capacity-video:	2
drm-engine-video-enhance:	0 ns
`;

const ns = (busy: number, capacity = 1) => ({ busy, total: null, capacity });

test("amdgpu: nanoseconds of engines, memory by its first name", () => {
  expect(parseFdinfo(AMDGPU)).toEqual({
    driver: "amdgpu",
    pci: "0000:03:00.0",
    client_id: "9",
    engines: new Map([
      ["gfx", ns(1513876544)],
      ["enc_1", ns(44)],
    ]),
    memory: new Map([
      ["vram", 153708 * 1024],
      ["gtt", 7220 * 1024],
      ["cpu", 0],
    ]),
  });
});

test("where a kernel says memory by both of its names, it counts once", () => {
  const both = parseFdinfo(`${AMDGPU}drm-total-vram:	200000 KiB\ndrm-resident-vram:	153700 KiB\n`);
  expect(both?.memory.get("vram")).toBe(153700 * 1024);
});

test("xe: cycles of so many that passed, of several engines", () => {
  const client = parseFdinfo(XE);
  expect(client?.engines).toEqual(
    new Map([
      ["rcs", { busy: 28257900, total: 7655183225, capacity: 1 }],
      ["ccs", { busy: 0, total: 7655183225, capacity: 4 }],
    ]),
  );
  expect(client?.memory).toEqual(
    new Map([
      ["gtt", 192 * 1024],
      ["vram0", 23 * 1024 ** 2],
    ]),
  );
});

test("i915: a name with a hyphen is an engine of its own", () => {
  expect(parseFdinfo(I915)?.engines).toEqual(
    new Map([
      ["render", ns(346249)],
      ["video", ns(0, 2)],
      ["video-enhance", ns(0)],
    ]),
  );
  expect([...(parseFdinfo(I915)?.memory.keys() ?? [])]).toEqual(["system0", "stolen-system0"]);
});

test("cycles of a driver that counts nanoseconds, too, do not count twice", () => {
  const text = "drm-driver: msm\ndrm-pdev: 0000:01:00.0\ndrm-client-id: 1\n";
  const both = `${text}drm-cycles-gpu:	5\ndrm-total-cycles-gpu:	10\ndrm-engine-gpu:	7 ns\n`;
  expect(parseFdinfo(both)?.engines).toEqual(new Map([["gpu", ns(7)]]));
});

test("what is no number is not known", () => {
  const odd = parseFdinfo(AMDGPU.replace("1513876544 ns", "-3 ns").replace("153708 KiB", "1 PiB").replace("0 KiB", ""));
  expect([...(odd?.engines.keys() ?? [])]).toEqual(["enc_1"]);
  expect(odd?.memory.has("vram")).toBe(false);
});

test("other files, and drivers that do not tell of their clients, are none", () => {
  for (const text of ["", "pos:	0\nflags:	02\n", "drm-driver:	nvidia-drm\n", AMDGPU.replace("drm-pdev", "drm-p")]) {
    expect(parseFdinfo(text)).toBeNull();
  }
});
