import { type Check, note, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";

export const programChecks: readonly Check[] = [
  { group: "program", name: "all-smi", run: ({ version, files }) => [versions(version, files.text(OSRELEASE))] },
  { group: "program", name: "user", run: (machine) => [user(machine)] },
  { group: "program", name: "files", run: ({ own }) => openFiles(own.text("/proc/self/limits")) },
  { group: "program", name: "terminal", run: (machine) => terminal(machine) },
];

const OSRELEASE = "/proc/sys/kernel/osrelease";

function versions(version: string, kernel: string | null): Verdict {
  const says = `${version}, Bun ${Bun.version}, ${process.platform} ${kernel ?? ""} ${process.arch}`.replace(
    / {2,}/g,
    " ",
  );
  return process.platform === "linux" ? ok(says) : problem(`${says}: only Linux machines can be read`);
}

/** Bits of `CapEff`, capabilities(7). */
const CAPABILITIES = [
  ["CAP_SYS_PTRACE", 19n],
  ["CAP_SYS_ADMIN", 21n],
  ["CAP_SYSLOG", 34n],
] as const;

function user({ uid, own }: Machine): Verdict {
  const who = uid === 0 ? "root" : `user ${uid}`;
  const missing = missingCapabilities(own.text("/proc/self/status"));
  if (missing.length === 0) return ok(`${who}, with all rights that reading needs`);
  return ok(`${who}, without ${missing.join(", ")}: below stands what that hides, if anything`);
}

/** Those of the capabilities that make more readable, which a process has not. */
export function missingCapabilities(status: string | null): string[] {
  const [, hex] = /^CapEff:\s*([0-9a-f]{1,16})$/im.exec(status ?? "") ?? [];
  const effective = hex === undefined ? 0n : BigInt(`0x${hex}`);
  return CAPABILITIES.filter(([, bit]) => ((effective >> bit) & 1n) === 0n).map(([name]) => name);
}

/** The libraries, the processes that are held open, and a connection for each host and client take one each. */
const ENOUGH_FILES = 1024;

function openFiles(limits: string | null): Verdict[] {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? "") ?? [];
  if (soft === undefined) return [];
  if (soft === "unlimited" || Number(soft) >= ENOUGH_FILES) return [ok(`${soft} may be open at a time`)];
  return [note(`only ${soft} may be open at a time: few for many hosts or clients`, `ulimit -n ${ENOUGH_FILES}`)];
}

/** Below this the view shows only what it misses. */
const SMALLEST = { columns: 60, rows: 15 };

function terminal({ terminal: size, env }: Machine): Verdict[] {
  if (size === null) return [];
  const { columns, rows } = size;
  const says = `${env.TERM ?? "unknown"}, ${columns}x${rows}`;
  if (env.TERM === undefined || env.TERM === "dumb") {
    return [note(`${says}: it cannot show the live view`, "set TERM, for instance to xterm-256color; or view --once")];
  }
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) {
    return [note(`${says}: smaller than the ${SMALLEST.columns}x${SMALLEST.rows} that the view needs`, "enlarge it")];
  }
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  if (/utf-?8/i.test(locale)) return [ok(says)];
  return [note(`${says}, in a locale without UTF-8: lines and bars may look wrong`, "export LANG=C.UTF-8")];
}
