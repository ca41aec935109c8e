import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseRecords } from "./record.ts";
import type { Finding } from "./rule.ts";
import { findingsIn } from "./rules.ts";

const FIXTURES = resolve(import.meta.dir, "../../../../test/fixtures/kmsg");

const heard = (messages: readonly string[]): Finding[] => findingsIn(messages).map(({ finding }) => finding);
const heardIn = (file: string): Finding[] =>
  heard(parseRecords(readFileSync(join(FIXTURES, file), "utf8")).map(({ message }) => message));

/** What of a finding tells it apart, in one line. */
const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ kind, severity, pci, text, xid }) =>
    [kind, xid, severity, pci, text].filter((x) => x != null).join(" "),
  );

test("NVIDIA: XIDs, cards that fell off the bus without one, NVSwitches", () => {
  expect(lines(heardIn("nvidia.kmsg"))).toEqual([
    "xid 31 warning 0000:0a:00 XID 31: GPU memory page fault, python3 (13332): Ch 00000010, intr 00000000. MMU Fault: " +
      "ENGINE CE2 HUBCLIENT_CE0 faulted @ 0x7f29_5b8c9000. Fault is of type FAULT_PRIV_VIOLATION ACCESS_TYPE_VIRT_READ",
    "xid 62 critical 0000:0a:00 XID 62: internal micro-controller halt: 2023b230 20238a3a 2023e8b6 2023eac4 2023ec3c 2023ea86 00000000 00000000",
    "xid 45 info 0000:0a:00 XID 45: preemptive cleanup after earlier errors: Ch 00000008",
    "xid 45 info 0000:dc:00 XID 45: preemptive cleanup after earlier errors, python3 (1818990): Ch 00000001 caused by previous Xid 149",
    "xid 119 critical 0000:9b:00 XID 119: GSP RPC timeout, python (4071838): Timeout after 45s of waiting for RPC response " +
      "from GPU4 GSP! Expected function 76 (GSP_RM_CONTROL) (0x20801702 0x4)",
    "xid 94 critical 0000:00:08 XID 94: contained ECC error: Contained: SM (0x1). RST: No, D-RST: No",
    "xid 79 critical 0000:01:00 XID 79: GPU has fallen off the bus, pid 1122",
    "xid 79 critical 0000:01:00.0 GPU has fallen off the bus",
    "xid 79 critical 0000:23:00 XID 79: GPU has fallen off the bus",
    "xid 999 warning 0000:b3:00.0 XID 999",
    "xid 13 warning 0000:02:00 XID 13: graphics engine exception: 0001 00000000 0000a097 00001b0c 1000f010 00000000",
    "xid 79 critical 0000:b3:00.0 GPU has fallen off the bus",
    "xid critical 0000:a9:00.0 NVSwitch SXID 20034: Link 30 LTSSM Fault Up",
    "xid warning 0000:08:00.0 NVSwitch SXID 12028: Link 32 egress non-posted PRIV error (First)",
  ]);
});

test("AMD: rings that time out, in whose process and on which card; resets; memory errors", () => {
  expect(lines(heardIn("amdgpu.kmsg"))).toEqual([
    "hang critical 0000:28:00.0 GPU ring gfx_0.0.0 timed out, cosmic-comp (2288)",
    "gpu_reset warning 0000:28:00.0 the GPU's memory was lost in a reset",
    "gpu_reset warning 0000:28:00.0 the GPU was reset",
    "hang critical 0000:33:00.0 GPU ring sdma0 timed out",
    "gpu_reset critical 0000:33:00.0 the GPU could not be reset",
    "hang warning GPU ring comp_1.0.0 timed out, and recovered",
    "ecc warning 0000:c1:00.0 correctable hardware errors in gfx of socket 4, die 0: 1",
    "ecc critical 0000:c1:00.0 uncorrectable hardware errors in umc of socket 0, die 2: 3",
    "ecc warning 0000:0b:00.0 correctable hardware errors in umc: 1048560",
  ]);
});

test("Intel: hangs and resets of both drivers", () => {
  expect(lines(heardIn("intel.kmsg"))).toEqual([
    "gpu_reset warning 0000:00:02.0 reset of chip: GuC failed to reset engine mask=0x1",
    "hang critical 0000:00:02.0 GPU hang 12:1:0020fffe, xdg-desktop-por (1676)",
    "hang critical 0000:00:02.0 GPU hang 9:1:0x00000000",
    "hang critical 0000:03:00.0 a job of GT0 of the GPU timed out, glxgears (1234)",
    "gpu_reset warning 0000:03:00.0 engine ccs of GT0 was reset",
    "gpu_reset critical 0000:00:02.0 GT0 of the GPU could not be reset",
    "hang critical 0000:00:02.0 the driver has given the GPU up (wedged)",
  ]);
});

test("PCIe: each error with its kinds, as the kernel or the firmware found it", () => {
  expect(lines(heardIn("pcie.kmsg"))).toEqual([
    "aer warning 0000:01:00.0 PCIe error, corrected, Data Link Layer: BadTLP, BadDLLP",
    "aer warning 0000:00:1c.5 PCIe error, corrected, Physical Layer: Receiver Error",
    "aer critical 0000:00:03.0 PCIe error, fatal, Transaction Layer: SDES, CmpltTO",
    "aer critical 0000:00:03.0 PCIe error: the device did not recover",
    "aer warning 0000:3b:00.0 PCIe error, corrected, Data Link Layer: Timeout",
    "aer warning 0000:3c:00.0 PCIe error, not corrected, Transaction Layer: MalfTLP",
  ]);
});

test("processes that were killed for want of memory, or hang", () => {
  expect(lines(heardIn("processes.kmsg"))).toEqual([
    "oom critical killed python3 (4711) with 64.5 GiB: the machine is out of memory",
    "oom critical killed pt_main_thread (815) with 2.0 GiB: its control group /kubepods.slice/kubepods-pod7.slice is out of memory",
    "oom critical killed (sd-pam) (99) with 0.1 GiB: the machine is out of memory",
    "hang critical python3 (1234) waits in the kernel for more than 122 s",
    "hang critical kworker/3:1 (88) does not let go of CPU 3 for 22 s",
  ]);
});

test("what bursts of one device have in common is not what its other errors have", () => {
  const bursts = heardIn("pcie.kmsg").map(({ pci, burst }) => `${pci} ${burst}`);
  expect(new Set(bursts).size).toBe(bursts.length);
});

test("names that programs gave themselves are no messages of drivers", () => {
  const forged = [
    "NVRM: Xid (PCI:[1234]: segfault at 0 ip 0000 sp 0000 error 4 in a.out[400000+1000]",
    'audit: type=1400 comm="NVRM: Xid (PCI:0000:0a:00): 79, pid=1"',
    "INFO: task NVRM: Xid (PCI:1 is not blocked",
    "x[1]: Out of memory: Killed process 1 (init) total-vm:1kB",
    "amdgpu 0000:03:[77]: segfault at 0",
    "NVRM: GPU0 abc[77]: segfault at 0 ip 0 sp 0 error 4 in fatal-reboot.so[4000]",
    "EDAC MC0: 1 UE [77]: segfault at 0 ip 0 sp 0 error 4 in x on y (page:0x0",
    "i 0000:01:00.0: invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0",
  ];
  expect(heard(forged)).toEqual([]);
});

test("a message cut anywhere, or with anything in it, is at most another finding", () => {
  for (const file of ["nvidia.kmsg", "amdgpu.kmsg", "intel.kmsg", "pcie.kmsg", "processes.kmsg"]) {
    for (const { message } of parseRecords(readFileSync(join(FIXTURES, file), "utf8"))) {
      for (let end = 0; end < message.length; end += 3) {
        for (const finding of heard([message.slice(0, end), `${message.slice(0, end)}\u{1f4a5}`])) {
          expect(finding.text).not.toContain("undefined");
          expect(finding.text).not.toContain("NaN");
        }
      }
    }
  }
});
