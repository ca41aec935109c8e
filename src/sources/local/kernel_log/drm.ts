import { type Finding, PCI, processName, type Rule } from "./rule.ts";

const OF_CARD = new RegExp(`^(amdgpu|i915|xe) (${PCI}): (?:amdgpu: )?(.*)$`);
/** Kernels before 6.9 do not say whose ring it is. */
const OF_NO_CARD = /^(\[drm:amdgpu_job_timedout \[amdgpu\]\] .*)$/;
/** So far behind the message of a ring stand those of its process and of the card's reset. */
const LOOK_AHEAD = 6;

interface Said {
  readonly pci: string | null;
  readonly words: string;
  /** What was said next. */
  readonly following: readonly string[];
}

const hang = (pci: string | null, text: string): Finding => ({ kind: "hang", severity: "critical", pci, text });

const reset = (pci: string | null, severity: Finding["severity"], text: string): Finding => ({
  kind: "gpu_reset",
  severity,
  pci,
  text,
});

const RING = /^(?:\[drm\S*(?: \[amdgpu\]\])? ?)?(?:\*ERROR\* )?ring (\S{1,32}) timeout(, but soft recovered)?/;
const RING_PROCESS = / Process (?:information: process )?(\S.*?) pid ([1-9]\d*)/;

const RESET_OF_CARD = new RegExp(`^amdgpu (${PCI}): (?:amdgpu: )?GPU reset begin`);

/** `ring gfx_0.0.0 timeout, signaled seq=57638, emitted seq=57641`, then the process, then the card's reset. */
function ringTimeout({ pci, words, following }: Said): Finding | null {
  const [, ring, recovered] = RING.exec(words) ?? [];
  if (ring === undefined) return null;
  if (recovered) return { ...hang(pci, `GPU ring ${ring} timed out, and recovered`), severity: "warning" };
  const [, name = "", pid = ""] = firstMatch(following, RING_PROCESS) ?? [];
  const by = pid === "" ? "" : `, ${processName(name, pid)}`;
  return hang(pci ?? firstMatch(following, RESET_OF_CARD)?.[1] ?? null, `GPU ring ${ring} timed out${by}`);
}

const firstMatch = (messages: readonly string[], pattern: RegExp): RegExpExecArray | null =>
  messages.map((message) => pattern.exec(message)).find((found) => found !== null) ?? null;

const RAS = new RegExp(
  "(?:socket: (\\d+), die: (\\d+),? )?(\\d{1,20}) (?:new )?(correctable|uncorrectable|deferred) hardware errors " +
    "detected in (\\w{1,16}) block",
);

/** `socket: 0, die: 0, 2 new correctable hardware errors detected in umc block`; a second line counts them in total. */
function memoryErrors({ pci, words }: Said): Finding | null {
  const [, socket, die, count, type, block] = RAS.exec(words) ?? [];
  if (type === undefined) return null;
  const severity = type === "uncorrectable" ? "critical" : "warning";
  const place = socket === undefined ? "" : ` of socket ${socket}, die ${die}`;
  const text = `${type} hardware errors in ${block}${place}: ${count}`;
  return { kind: "ecc", severity, pci, text, burst: `${type} ${block}${place}` };
}

const RESETS: readonly (readonly [pattern: RegExp, severity: Finding["severity"], text: string])[] = [
  [/^GPU reset\(\d+\) succeeded/, "warning", "the GPU was reset"],
  [/^GPU reset(?:\(\d+\) failed| end with ret = -)/, "critical", "the GPU could not be reset"],
  [/^(?:\[drm\] )?VRAM is lost due to GPU reset/, "warning", "the GPU's memory was lost in a reset"],
  [/^Ring (\S{1,32}) reset succeeded/i, "warning", "GPU ring $1 was reset"],
  // The driver of Intel's older cards.
  [/^(?:\[drm\] )?Resetting (\S{1,16}) for (.*)$/, "warning", "reset of $1: $2"],
  [/^\[drm\] \*ERROR\* (?:GT\d: )?Failed to reset (?:chip|GPU)/, "critical", "the GPU could not be reset"],
  // That of the newer.
  [/^\[drm\] (?:Tile\d+: )?(GT\d+): reset done/, "warning", "$1 of the GPU was reset"],
  [/^\[drm\] (?:\*ERROR\* )?(?:Tile\d+: )?(GT\d+): reset failed/, "critical", "$1 of the GPU could not be reset"],
  [/^\[drm\] (?:Tile\d+: )?(GT\d+): Engine reset: engine_class=(\w{1,8})/, "warning", "engine $2 of $1 was reset"],
];

function resets({ pci, words }: Said): Finding | null {
  for (const [pattern, severity, text] of RESETS) {
    const found = pattern.exec(words);
    if (found !== null)
      return reset(
        pci,
        severity,
        text.replace(/\$(\d)/g, (_, group) => found[group] ?? ""),
      );
  }
  return null;
}

const HANG = /^(?:\[drm\] )?GPU HANG: ecode ([^,\s]{1,40})(?:, in (.+) \[(\d+)\])?/;
const JOB = /^\[drm\] (?:\*ERROR\* )?(?:Tile\d+: )?(GT\d+): Timedout job: .*?(?: in (.+) \[(\d+)\])?$/;
const WEDGED = /^\[drm\] (?:\*ERROR\* )?CRITICAL: Xe has declared device \S+ as wedged/;

/** `[drm] GPU HANG: ecode 12:1:85dffffb, in Xorg [1234]`, `[drm] Tile0: GT0: Timedout job: seqno=… in glxgears [1234]`. */
function hangs({ pci, words }: Said): Finding | null {
  const [, code, name = "", pid] = HANG.exec(words) ?? [];
  if (code !== undefined) return hang(pci, `GPU hang ${code}${pid === undefined ? "" : `, ${processName(name, pid)}`}`);
  const [, gt, jobName = "", jobPid] = JOB.exec(words) ?? [];
  const by = jobPid === undefined ? "" : `, ${processName(jobName, jobPid)}`;
  if (gt !== undefined) return { ...hang(pci, `a job of ${gt} of the GPU timed out${by}`), burst: `job ${jobPid}` };
  return WEDGED.test(words) ? hang(pci, "the driver has given the GPU up (wedged)") : null;
}

/** What the drivers of AMD's and Intel's GPUs say of hangs, resets and memory errors. */
export const drmRule: Rule = (messages, at) => {
  const message = messages[at] ?? "";
  const [, driver, pci = null, words] = OF_CARD.exec(message) ?? [null, "amdgpu", null, OF_NO_CARD.exec(message)?.[1]];
  if (words === undefined) return null;
  const said: Said = { pci, words, following: messages.slice(at + 1, at + 1 + LOOK_AHEAD) };
  const ofAmd = driver === "amdgpu" ? (ringTimeout(said) ?? memoryErrors(said)) : hangs(said);
  return ofAmd ?? resets(said);
};
