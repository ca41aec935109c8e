import { describe, expect, test } from "bun:test";
import type { Finding } from "./rule.ts";
import { findingsIn } from "./rules.ts";

const heard = (messages: readonly string[]): Finding[] => findingsIn(messages).map(({ finding }) => finding);

/** What of a finding tells it apart, in one line. */
const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ kind, severity, pci, text, xid }) =>
    [kind, xid, severity, pci, text].filter((x) => x != null).join(" "),
  );

describe("messages of all kernels since 3.10", () => {
  const one = (message: string, ...others: string[]) => lines(heard([message, ...others]));

  test("soft and hard lockups, and stalls of RCU", () => {
    for (const prefix of ["", "NMI watchdog: ", "watchdog: "]) {
      expect(one(`${prefix}BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:88]`)).toEqual([
        "hang critical kworker/3:1 (88) does not let go of CPU 3 for 22 s",
      ]);
      expect(one(`${prefix}Watchdog detected hard LOCKUP on cpu 5`)).toEqual([
        "hang critical CPU 5 hangs, also for interrupts",
      ]);
    }
    expect(one("watchdog: CPU5: Watchdog detected hard LOCKUP on cpu 5")).toHaveLength(1);
    expect(one("watchdog: CPU 4 self-detected hard LOCKUP @ arch_local_irq_restore+0x1c/0xc0")).toEqual([
      "hang critical CPU 4 hangs, also for interrupts",
    ]);
    expect(one("watchdog: CPU 4 detected hard LOCKUP on other CPUs 7,9-11")).toEqual([
      "hang critical CPU 7,9-11 hangs, also for interrupts",
    ]);
    expect(one("INFO: rcu_sched self-detected stall on CPU { 3}  (t=60001 jiffies g=9 c=8 q=7)")).toEqual([
      "hang critical a CPU holds up the kernel (rcu_sched stall, CPU 3)",
    ]);
    const stalls = [
      "INFO: rcu_sched detected stalls on CPUs/tasks: { 1} (detected by 0, t=60002 jiffies, g=1, c=0, q=1)",
      "INFO: rcu_sched self-detected stall on CPU",
      "rcu: INFO: rcu_preempt self-detected stall on CPU",
      "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
      "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 5-.... } 21 jiffies s: 93 root: 0x2/.",
      "rcu: INFO: rcu_tasks detected stalls on tasks:",
    ];
    expect(one("BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 33s!")).toEqual([
      "hang critical the kernel's own work on CPU 3 waits for 33 s",
    ]);
    expect(one("Kernel panic - not syncing: Fatal exception in interrupt")).toEqual([
      "hang critical the kernel gives up: Fatal exception in interrupt",
    ]);
    for (const stall of stalls) expect(heard([stall])).toMatchObject([{ kind: "hang", severity: "critical" }]);
  });

  test("tasks that hang", () => {
    for (const words of ["blocked for", "blocked in I/O wait for"]) {
      expect(one(`INFO: task dd:456 ${words} more than 122 seconds.`)).toEqual([
        "hang critical dd (456) waits in the kernel for more than 122 s",
      ]);
    }
  });

  test("kills for want of memory, with and without the message of the choice", () => {
    const sizes = "total-vm:9kB, anon-rss:2097152kB, file-rss:0kB";
    const machine = ["oom critical killed python3 (12) with 2.0 GiB: the machine is out of memory"];
    expect(one(`Out of memory: Killed process 12 (python3) ${sizes}, UID:0 pgtables:9kB oom_score_adj:0`)).toEqual(
      machine,
    );
    expect(one(`Out of memory: Killed process 12, UID 0, (python3) ${sizes}`)).toEqual(machine);
    expect(
      one(
        "Out of memory: Kill process 12 (python3) score 900 or sacrifice child",
        `Killed process 12 (python3) ${sizes}`,
      ),
    ).toEqual(machine);
    expect(one("Out of memory: Kill process 12 (python3) score 900 or sacrifice child")).toEqual([
      "oom critical kills python3 (12): the machine is out of memory",
    ]);
    const group = "oom critical killed python3 (12) with 2.0 GiB: its control group /docker/a is out of memory";
    const chosen = "Memory cgroup out of memory: Kill process 11 (sh) score 1 or sacrifice child";
    const limit = "Task in /docker/a/b killed as a result of limit of /docker/a";
    const table = Array.from(
      { length: 60 },
      (_, n) => `[ ${n}]     0 ${n}     4498      812      13        3        0 sh`,
    );
    expect(
      lines(
        heard([
          "sh invoked oom-killer: gfp_mask=0xd0",
          limit,
          ...table,
          chosen,
          `Killed process 12 (python3) ${sizes}`,
        ]),
      ),
    ).toEqual([group]);
    expect(
      lines(heard([limit, "sh invoked oom-killer: gfp_mask=0xd0", chosen, `Killed process 12 (python3) ${sizes}`])),
    ).toEqual(["oom critical killed python3 (12) with 2.0 GiB: its control group is out of memory"]);
    expect(one("Out of memory and no killable processes...")).toEqual([
      "oom critical the machine is out of memory, and nothing can be killed",
    ]);
  });

  test("errors of a CXL bus are told as those of a PCIe bus", () => {
    const error = "CXL Bus Error: severity=Uncorrectable (Fatal), type=Transaction Layer, (Receiver ID)";
    expect(one(`pcieport 0000:0c:00.0: ${error}`)[0]).toStartWith("aer critical 0000:0c:00.0");
  });

  test("errors of the PCIe bus, in both generations of words, also where no device says what it is", () => {
    for (const [level, words] of [
      ["Corrected", "warning 0000:01:00.0 PCIe error, corrected"],
      ["Correctable", "warning 0000:01:00.0 PCIe error, corrected"],
      ["Uncorrected (Non-Fatal)", "warning 0000:01:00.0 PCIe error, not corrected"],
      ["Uncorrectable (Non-Fatal)", "warning 0000:01:00.0 PCIe error, not corrected"],
      ["Uncorrected (Fatal)", "critical 0000:01:00.0 PCIe error, fatal"],
      ["Uncorrectable (Fatal)", "critical 0000:01:00.0 PCIe error, fatal"],
    ] as const) {
      const device = `nvidia 0000:01:00.0: PCIe Bus Error: severity=${level}, type=Transaction Layer, `;
      for (const end of ["(Requester ID)", "id=0100(Requester ID)"]) {
        expect(one(`${device}${end}`)).toEqual([`aer ${words}, Transaction Layer`]);
        expect(one(`${device.replace(": PCIe", ": AER: PCIe")}${end}`)).toEqual([`aer ${words}, Transaction Layer`]);
      }
      for (const port of [
        `pcieport 0000:00:01.0: AER: ${level} error message received from 0000:01:00.0`,
        `pcieport 0000:00:01.0: AER: Multiple ${level} error received: 0000:01:00.0`,
        `pcieport 0000:01:00.0: AER: ${level} error received: id=0100`,
      ]) {
        expect(one(port)).toEqual([`aer ${words}, no details`]);
        expect(one(port, `${device}(Requester ID)`)).toEqual([`aer ${words}, Transaction Layer`]);
      }
    }
    for (const word of ["device", "Device"]) {
      expect(one(`pcieport 0000:00:03.0: AER: ${word} recovery failed`)).toEqual([
        "aer critical 0000:00:03.0 PCIe error: the device did not recover",
      ]);
    }
    expect(one("pcieport 0000:00:03.0: AER: Device recovery successful")).toEqual([]);
  });

  test("ports that cut their link off, and fatal errors that the firmware hands on", () => {
    const port = "pcieport 0000:00:01.4: DPC: ";
    const cut = (reason: string) => one(`${port}containment event, status:0x1f05${reason}`);
    expect(cut(", ERR_FATAL received from 0000:02:00.0")).toEqual([
      "aer critical 0000:00:01.4 PCIe error: the port cut its link off: ERR_FATAL",
    ]);
    expect(cut(", ERR_NONFATAL received from 0000:02:00.0")[0]).toStartWith("aer warning");
    expect(one(`${port}containment event, status:0x1f05 source:0x0200`, `${port}ERR_FATAL detected`)[0]).toStartWith(
      "aer critical",
    );
    const firmware = [
      "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 512",
      "{1}[Hardware Error]: event severity: fatal",
      "nvidia 0000:3c:00.0: aer_status: 0x00040000, aer_mask: 0x00000000",
      "nvidia 0000:3c:00.0: aer_layer=Transaction Layer, aer_agent=Receiver ID",
      "nvidia 0000:3c:00.0: aer_uncor_severity: 0x00462030",
    ];
    expect(lines(heard(firmware))).toEqual(["aer critical 0000:3c:00.0 PCIe error, fatal, Transaction Layer"]);
  });

  test("NVIDIA: parts of cards, what calls itself fatal, what asks for a reboot, what cannot be started", () => {
    const xid = (words: string) => one(`NVRM: Xid (PCI:0000:01:00): ${words}`)[0] ?? "";
    expect(
      one("NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7194, Contained: CE User Channel (0x9). RST: No")[0],
    ).toStartWith("xid 94 critical 0000:01:00 ");
    expect(one("NVRM: Xid (PCI:0000:3b:00 GPU-I:01 GPU-CI:02): 13, pid=9, name=a, Graphics Exception")[0]).toStartWith(
      "xid 13 warning 0000:3b:00 ",
    );
    expect(xid("149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x021425c6)")).toStartWith("xid 149 critical");
    expect(xid("145, RLW_SRC_TRACK  Nonfatal XC0 i0 Link 02 (0x00000014)")).toStartWith("xid 145 warning");
    const action = (to: string) => xid(`154, GPU recovery action changed from 0x2 (Node Reboot Required) to ${to}`);
    expect(action("0x0 (None)")).toStartWith("xid 154 info");
    expect(action("0x3 (Drain P2P)")).toStartWith("xid 154 warning");
    for (const to of [
      "0x1 (GPU Reset Required)",
      "0x2 (Node Reboot Required)",
      "0x2 (OS Reboot)",
      "0x4 (Drain and Reset)",
    ]) {
      expect(action(to)).toStartWith("xid 154 critical");
    }
    expect(one("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0xffff:1290)")).toEqual([
      "gpu_error critical 0000:01:00.0 the driver cannot start the GPU (0x26:0xffff:1290)",
    ]);
    expect(one("NVRM: RmInitAdapter failed! (0x26:0x38:1130)")[0]).toStartWith("gpu_error critical the driver");
    expect(
      one("NVRM: nvGpuOpsReportFatalError: uvm encountered global fatal error 0x60, requiring os reboot to recover."),
    ).toEqual([
      "gpu_error critical the driver says: uvm encountered global fatal error 0x60, requiring os reboot to recover.",
    ]);
    expect(one("NVRM: GPU at 0000:04:00.0 has fallen off the bus.")).toEqual([
      "xid 79 critical 0000:04:00.0 GPU has fallen off the bus",
    ]);
    expect(one("NVRM: GPU 0000:01:00.0: a nonfatal error, no reboot")).toEqual([]);
  });

  test("other GPUs: resets that fail, cards that are given up, what calls itself fatal", () => {
    const amd = (words: string) => one(`amdgpu 0000:03:00.0: ${words}`)[0]?.replace(" 0000:03:00.0", "") ?? "";
    expect(amd("[drm] device wedged, but recovered through reset")).toBe(
      "gpu_reset warning the GPU hung, and recovered by a reset",
    );
    expect(amd("[drm] device wedged, needs recovery")).toStartWith("hang critical");
    expect(amd("amdgpu: GPU Recovery Failed: -125")).toStartWith("gpu_reset critical");
    expect(amd("amdgpu: GPU reset(3) failed")).toStartWith("gpu_reset critical");
    expect(amd("GPU reset failed, reboot")).toStartWith("gpu_reset critical");
    expect(amd("amdgpu: Fatal error during GPU init")).toStartWith("gpu_error critical");
    expect(amd("amdgpu: uncorrectable hardware error(ERREVENT_ATHUB_INTERRUPT) detected!")).toStartWith("ecc critical");
    expect(
      amd("amdgpu: The cp might be in an unrecoverable state due to an unsuccessful queues preemption"),
    ).toStartWith("hang critical");
    expect(amd(" Process fatal pid 2288 thread reboot pid 2316")).toBe("");
    expect(amd("GPU reset begin!")).toBe("");
    expect(one("i915 0000:00:02.0: [drm] *ERROR* Failed to reset chip")[0]).toStartWith("gpu_reset critical");
    expect(one("i915 0000:00:02.0: [drm] *ERROR* GPU recovery failed, declaring wedged")[0]).toStartWith(
      "gpu_reset critical",
    );
    expect(one("[drm] GPU HANG: ecode 7:0:0x85dffffb, in Xorg [1234], reason: Ring hung, action: reset")).toEqual([
      "hang critical GPU hang 7:0:0x85dffffb, Xorg (1234)",
    ]);
    expect(one("[drm] stuck on render ring")).toEqual(["hang critical the GPU's render ring is stuck"]);
    expect(one("radeon 0000:01:00.0: GPU lockup (current fence id 0x1 last fence id 0x3 on ring 0)")[0]).toStartWith(
      "hang critical",
    );
  });

  test("errors of CPUs and of the machine's memory", () => {
    expect(
      one("EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x1 offset:0x0)"),
    ).toEqual(["ecc warning errors of the machine's memory, corrected: 1 on CPU_SrcID#0_MC#0_Chan#0_DIMM#0"]);
    expect(one("EDAC MC0: 2 UE on mc#0csrow#3channel#1 (csrow:3 channel:1 page:0x1)")[0]).toStartWith("ecc critical");
    expect(one("mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 7: 8c00004000010091")).toEqual([
      "mce warning hardware error of CPU 3, bank 7, corrected",
    ]);
    expect(one("[Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: b200000000070f0f")).toEqual([
      "mce critical hardware error of CPU 3, bank 4, not corrected",
    ]);
    expect(one("EDAC MC0: 1 CE reserved error (13) on any memory (node:0 page:0x1)")[0]).toStartWith("ecc warning");
    expect(one("{1}[Hardware Error]: event severity: fatal")[0]).toStartWith("mce critical");
    expect(one("{1}[Hardware Error]: severity: 2, corrected")[0]).toStartWith("mce warning");
    const pcie = "{1}[Hardware Error]:   section_type: PCIe error";
    expect(one("{1}[Hardware Error]: event severity: corrected", pcie)).toEqual([]);
    expect(one("[Hardware Error]: Corrected error, no action required.")[0]).toStartWith("mce warning");
    expect(one("mce: [Hardware Error]: System Fatal error.")[0]).toStartWith("mce critical");
    expect(one("Memory failure: 0x1a2b3c: recovery action for dirty LRU page: Recovered")[0]).toStartWith(
      "ecc warning",
    );
    expect(one("MCE 0x1a2b3c: dirty LRU page recovery: Failed")[0]).toStartWith("ecc critical");
  });
});
