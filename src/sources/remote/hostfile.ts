import { closeSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { systemWords, UsageError } from "../../errors.ts";
import { addFileSd, isFileSd } from "./file_sd.ts";
import type { Target } from "./target.ts";
import { TargetList } from "./targets.ts";

/** 4096 lines are far below. */
const LARGEST_FILE = 10 << 20;

/** Adds the machines of a host file: lines, or the JSON of Prometheus's `file_sd_configs`. */
export function parseHostfile(text: string, file: string, list: TargetList): void {
  if (isFileSd(text, file)) {
    addFileSd(text, file, list);
    return;
  }
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    const written = line.replace(/#.*/, "").trim();
    if (written !== "") list.addLine(written, `${file}:${n + 1}`);
  }
}

/** The shell leaves a `~` alone that is not at the beginning of a word, as in `--hostfile=~/hosts`. */
const expandHome = (path: string): string => (/^~(?=\/|$)/.test(path) ? homedir() + path.slice(1) : path);

function readHostfile(path: string): string {
  try {
    const text = readUpTo(expandHome(path), LARGEST_FILE);
    if (text !== null) return text;
  } catch (error) {
    throw new UsageError(`${path}: ${systemWords(error)}`);
  }
  throw new UsageError(`${path}: more than ${LARGEST_FILE} bytes are no list of hosts`);
}

/** `null` where there is more. A device or a pipe does not say beforehand how much it has. */
function readUpTo(file: string, most: number): string | null {
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.allocUnsafe(most + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= most; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return length > most ? null : bytes.toString("utf8", 0, length).replace(/^\ufeff/, "");
  } finally {
    closeSync(descriptor);
  }
}

/** Every machine that `--hosts` and `--hostfile` name, but those of `--exclude`; throws where one cannot be meant, or there is none. */
export function readTargets(
  hosts: readonly string[],
  hostfile: string | undefined,
  exclude: readonly string[] = [],
): Target[] {
  const list = new TargetList();
  for (const host of hosts) list.addLine(host, "--hosts");
  if (hostfile !== undefined) {
    const before = list.targets.length;
    parseHostfile(readHostfile(hostfile), hostfile, list);
    if (list.targets.length === before && !list.isEmptied) throw new UsageError(`${hostfile}: no host in it`);
  }
  for (const host of exclude) list.leaveOut(host, "--exclude");
  if (list.isEmptied) throw new UsageError("no host: all that are named are left out");
  if (list.targets.length === 0) throw new UsageError("no host: give --hosts or --hostfile");
  return list.targets;
}
