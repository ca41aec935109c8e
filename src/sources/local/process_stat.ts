/** One reading of `/proc/PID/stat` (proc_pid_stat(5)), in the kernel's units. */
export interface ProcessStat {
  /** As the program called itself, at most 15 bytes. */
  readonly comm: string;
  /** `R` running, `S` sleeping, `D` waiting for a device, `I` idle, `T`/`t` stopped, `Z` zombie, … */
  readonly state: string;
  readonly ppid: number;
  /** User and system time of all its threads, in clock ticks. */
  readonly cpu_ticks: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  /** Clock ticks between the boot and its start; with the pid it tells processes apart. */
  readonly start_ticks: number;
  readonly vms_bytes: number;
  /** Newer kernels sum this up only roughly here, off by up to some MiB a CPU; `statm` has it exactly. */
  readonly rss_pages: number;
}

const OPEN = 0x28;
const CLOSE = 0x29;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Fields behind the name, counted from the state (which is field 3 in the manual page). */
const FIELDS = 22;
const PPID = 1;
const UTIME = 11;
const STIME = 12;
const PRIORITY = 15;
const NICE = 16;
const THREADS = 17;
const START = 19;
const VSIZE = 20;
const RSS = 21;

const numbers = new Float64Array(FIELDS);

/** `null` where the bytes are not such a line. */
export function parseProcessStat(bytes: Buffer): ProcessStat | null {
  const open = bytes.indexOf(OPEN);
  // A name may hold spaces and parentheses: the last one closes it.
  const close = bytes.lastIndexOf(CLOSE);
  if (open < 1 || close < open || bytes[close + 1] !== SPACE || bytes[close + 3] !== SPACE) return null;
  if (!readNumbers(bytes, close + 4)) return null;
  return {
    comm: bytes.toString("utf8", open + 1, close),
    state: String.fromCharCode(bytes[close + 2] ?? 0),
    ppid: number(PPID),
    cpu_ticks: number(UTIME) + number(STIME),
    priority: number(PRIORITY),
    nice: number(NICE),
    threads: number(THREADS),
    start_ticks: number(START),
    vms_bytes: number(VSIZE),
    rss_pages: number(RSS),
  };
}

const number = (field: number): number => numbers[field] ?? 0;

/** Reads the numbers from `from` on, each ended by a space, into `numbers[1…]`; says whether all of them are there. */
function readNumbers(bytes: Uint8Array, from: number): boolean {
  let at = from;
  for (let field = 1; field < FIELDS; field++) {
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const start = at;
    let value = 0;
    for (let digit = bytes[at] ?? 0; digit >= ZERO && digit <= NINE; digit = bytes[++at] ?? 0) {
      value = value * 10 + (digit - ZERO);
    }
    if (at === start || bytes[at] !== SPACE) return false;
    numbers[field] = negative ? -value : value;
    at++;
  }
  return true;
}

/** Resident pages in `/proc/PID/statm`, its second number; `null` where the bytes are not such a line. */
export function parseResidentPages(bytes: Buffer): number | null {
  const pages = bytes.toString("latin1").match(/^\d+ (\d+) /)?.[1];
  return pages === undefined ? null : Number(pages);
}
