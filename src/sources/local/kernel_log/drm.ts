import { type Severity, saidSeverity, severities } from "../../../frame/severity.ts";
import { type Finding, PCI, processName, type Rule, saying } from "./rule.ts";

const OF_CARD = new RegExp(`^(amdgpu|radeon|i915|xe) (${PCI}): (?:amdgpu: )?(.*)$`);
/** Kernels before 6.9 do not say whose ring it is, and those before 5.x not whose hang. */
const OF_NO_CARD =
  /^(?:\[drm:(amdgpu|i915)_\w{1,40}(?: \[(?:amdgpu|i915)\])?\] .*|\[drm\] (?:GPU HANG: .*|stuck on .*))$/;
/** So far behind the message of a ring stand those of its process and of the card's reset. */
const LOOK_AHEAD = 6;

interface Said {
  readonly pci: string | null;
  readonly words: string;
  /** What was said next. */
  readonly following: readonly string[];
}

const hang = (pci: string | null, text: string): Finding => ({ kind: "hang", severity: severities.hang, pci, text });

const reset = (pci: string | null, severity: Severity, text: string): Finding => ({
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
  if (recovered)
    return { ...hang(pci, `GPU ring ${ring} timed out, and recovered`), severity: severities.hang_recovered };
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

/** Before the GPU is reset for it. */
const RAS_INTERRUPT = /^uncorrectable hardware error ?\((\w{1,40})\) detected/;

/** `socket: 0, die: 0, 2 new correctable hardware errors detected in umc block`; a second line counts them in total. */
function memoryErrors({ pci, words }: Said): Finding | null {
  const [, socket, die, count, type, block] = RAS.exec(words) ?? [];
  const [, interrupt] = RAS_INTERRUPT.exec(words) ?? [];
  if (interrupt !== undefined) {
    const text = `uncorrectable hardware error (${interrupt})`;
    return { kind: "ecc", severity: severities.memory_uncorrected, pci, text, burst: interrupt };
  }
  if (type === undefined) return null;
  const severity = severities[type === "uncorrectable" ? "memory_uncorrected" : "memory_corrected"];
  const place = socket === undefined ? "" : ` of socket ${socket}, die ${die}`;
  const text = `${type} hardware errors in ${block}${place}: ${count}`;
  return { kind: "ecc", severity, pci, text, burst: `${type} ${block}${place}` };
}

const DONE = severities.gpu_reset;
const FAILED = severities.gpu_reset_failed;
/** Before the words of all drivers. */
const DRM = "^(?:\\[drm\\S*(?: \\[\\w+\\])?\\] ?)?(?:\\*ERROR\\* )?(?:CRITICAL: )?(?:Tile\\d{1,3}: )?";

const RESETS: readonly (readonly [pattern: RegExp, severity: Severity, text: string])[] = [
  [/^GPU reset\(\d+\) succeeded/, DONE, "the GPU was reset"],
  [/^GPU reset(?:\(\d+\) failed| end with ret = -| failed)/, FAILED, "the GPU could not be reset"],
  [new RegExp(`${DRM}GPU [Rr]ecovery [Ff]ailed`), FAILED, "the GPU could not be recovered"],
  [/^(?:ASIC reset|GPU (?:mode ?1|BACO) reset|asic \w{1,16} reset) failed/i, FAILED, "the GPU could not be reset"],
  [/^(?:\[drm\] )?VRAM is lost due to GPU reset/, DONE, "the GPU's memory was lost in a reset"],
  [/^Ring (\S{1,32}) reset succeeded/i, DONE, "GPU ring $1 was reset"],
  // The driver of Intel's older cards.
  [/^(?:\[drm\] )?Resetting (\S{1,16}) for (.*)$/, DONE, "reset of $1: $2"],
  [new RegExp(`${DRM}(?:GT\\d: )?Failed to reset (?:chip|GPU)`), FAILED, "the GPU could not be reset"],
  // That of the newer.
  [/^\[drm\] (?:Tile\d+: )?(GT\d+): reset done/, DONE, "$1 of the GPU was reset"],
  [new RegExp(`${DRM}(GT\\d+): reset failed`), FAILED, "$1 of the GPU could not be reset"],
  [/^\[drm\] (?:Tile\d+: )?(GT\d+): Engine reset: engine_class=(\w{1,8})/, DONE, "engine $2 of $1 was reset"],
  // Kernels from 6.15 on, of any driver.
  [/^\[drm\] device wedged, but recovered/, DONE, "the GPU hung, and recovered by a reset"],
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
const STUCK = /^\[drm\] stuck on ([\w ]{1,40}ring)/;
const LOCKUP = /^GPU lockup \(/;
const JOB = /^\[drm\] (?:\*ERROR\* )?(?:Tile\d+: )?(GT\d+): Timedout job: .*?(?: in (.+) \[(\d+)\])?$/;
/** A driver that gives its card up, or a card's scheduler that does not answer any more. */
const WEDGED = new RegExp(`${DRM}.{0,80}\\bwedged\\b`);
const UNRECOVERABLE = /^(?:The cp|MES|HWS) might be in (?:an )?unrecoverable state/i;

/** `[drm] GPU HANG: ecode 12:1:85dffffb, in Xorg [1234]`, `[drm] Tile0: GT0: Timedout job: seqno=… in glxgears [1234]`. */
function hangs({ pci, words }: Said): Finding | null {
  const [, code, name = "", pid] = HANG.exec(words) ?? [];
  if (code !== undefined) return hang(pci, `GPU hang ${code}${pid === undefined ? "" : `, ${processName(name, pid)}`}`);
  const [, gt, jobName = "", jobPid] = JOB.exec(words) ?? [];
  const by = jobPid === undefined ? "" : `, ${processName(jobName, jobPid)}`;
  if (gt !== undefined) return { ...hang(pci, `a job of ${gt} of the GPU timed out${by}`), burst: `job ${jobPid}` };
  const stuck = STUCK.exec(words)?.[1];
  if (stuck !== undefined) return { ...hang(pci, `the GPU's ${stuck} is stuck`), burst: `stuck ${stuck}` };
  if (LOCKUP.test(words)) return { ...hang(pci, "the GPU does not go on"), burst: "lockup" };
  if (UNRECOVERABLE.test(words)) return { ...hang(pci, "the GPU's scheduler does not answer"), burst: "scheduler" };
  return WEDGED.test(words) ? { ...hang(pci, "the driver has given the GPU up (wedged)"), burst: "wedged" } : null;
}

/** Names that processes gave themselves. */
const OF_PROCESS = /\bprocess\b.*$/i;

/** Whatever else a driver calls fatal, or asks for a reboot for. */
function failed({ pci, words }: Said): Finding | null {
  if (saidSeverity("info", words.replace(OF_PROCESS, "")) === "info") return null;
  return {
    kind: "gpu_error",
    severity: severities.gpu_error,
    pci,
    text: `the driver says: ${words}`,
    burst: saying(words),
  };
}

/** What the drivers of AMD's and Intel's GPUs say of hangs, resets and memory errors. */
export const drmRule: Rule = (messages, at) => {
  const message = messages[at] ?? "";
  const [, , pci = null, ofCard] = OF_CARD.exec(message) ?? [];
  const words = ofCard ?? (OF_NO_CARD.test(message) ? message : undefined);
  if (words === undefined) return null;
  const said: Said = { pci, words, following: messages.slice(at + 1, at + 1 + LOOK_AHEAD) };
  return ringTimeout(said) ?? memoryErrors(said) ?? resets(said) ?? hangs(said) ?? failed(said);
};
