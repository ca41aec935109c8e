/** The gravest first: where there is no room for all, these come first. */
export const SEVERITIES = ["critical", "warning", "info"] as const;

export type Severity = (typeof SEVERITIES)[number];

export const isSeverity = (value: unknown): value is Severity => SEVERITIES.some((one) => one === value);

export const isGraver = (one: Severity, other: Severity): boolean =>
  SEVERITIES.indexOf(one) < SEVERITIES.indexOf(other);

/** How bad what may happen is, whoever tells of it; XIDs have a table of their own. */
export const severities = {
  /** A device is gone. */
  gpu_lost: "critical",
  host_lost: "critical",
  /** A process was killed for want of memory. */
  oom: "critical",
  /** A process, a CPU or a GPU hangs. */
  hang: "critical",
  hang_recovered: "warning",
  gpu_reset: "warning",
  gpu_reset_failed: "critical",
  /** A driver cannot use a GPU. */
  gpu_error: "critical",
  /** Errors on the PCIe bus. */
  bus_corrected: "warning",
  bus_not_corrected: "warning",
  bus_fatal: "critical",
  bus_not_recovered: "critical",
  /** Errors of memory, and hardware errors of a GPU's blocks or of a CPU. */
  memory_corrected: "warning",
  memory_deferred: "warning",
  memory_uncorrected: "critical",
  memory_repair_failed: "critical",
  memory_repair_pending: "warning",
  memory_retired: "warning",
  link: "warning",
  throttle: "warning",
  temperature: "warning",
  cliff: "warning",
  power: "info",
  reader: "warning",
  gap: "warning",
  clock: "warning",
} as const satisfies Record<string, Severity>;

/** `nonfatal`, `Non-Fatal`, `ERR_NONFATAL`, `not fatal`, `fatal: 0` are none. */
const FATAL =
  /(?<!(?:(?<![a-z])(?:non|not|no)(?: an?| considered)?|n't(?: an?)?)[\s_-]{0,2})fatal(?!(?:\s|_errors?|\s?errors?)?\s?[:=]\s?(?:0|no|none|false)\b)/i;
/** `no reboot`, `does not require a reboot`, `reboot is not needed`, `rebooted` are none. */
const REBOOT =
  /(?<!(?:\bno|\bnot|\bwithout|n't)(?: (?:need|require))?(?: an?| to)?\s)(?<![a-z])(?:re-?boot|power[ -]?cycle|restart the (?:system|machine|node|host|server))(?!ed\b|ing\b|\s(?:is\s|was\s)?not\b)/i;

/** As bad as it usually is, unless its words call it fatal or ask for a reboot. */
export const saidSeverity = (usual: Severity, words: string): Severity =>
  FATAL.test(words) || REBOOT.test(words) ? "critical" : usual;
