import { closeSync, existsSync, openSync, statfsSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemWords } from "../../errors.ts";
import { clockIsSynchronized, LockError, lockFile } from "../../libc.ts";
import { lockWords } from "../../recording/lock.ts";
import { keptFreeBytes } from "../../recording/room.ts";
import { type Check, note, ok, problem, type Verdict } from "../finding.ts";
import { gibibytes } from "../words.ts";

export const recordingChecks: readonly Check[] = [
  { group: "recording", name: "output", run: ({ recording }) => output(recording) },
  { group: "recording", name: "room", run: ({ recording }) => [room(existing(dirname(recording)))] },
  { group: "recording", name: "clock", run: () => clock(clockIsSynchronized()) },
];

/** The folder, or the nearest above it that is there: the others are made by `record`. */
const existing = (folder: string): string =>
  existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));

const ELSEWHERE = "record -o PATH, in a folder that is yours on a local disk";

/** Writes there, and takes the lock that keeps a second recorder away; leaves nothing. */
function output(recording: string): Verdict[] {
  const file = join(existing(dirname(recording)), `.all-smi-doctor-${process.pid}`);
  const descriptors: number[] = [];
  try {
    descriptors.push(openSync(file, "wx", 0o600), openSync(file, "r+"));
    unlinkSync(file);
    const [first = -1, second = -1] = descriptors;
    if (lockFile(first) && !lockFile(second)) return [ok(`record writes to ${recording}`)];
    return [note(`files cannot be locked there (${recording}): two recorders could write to one`, ELSEWHERE)];
  } catch (error) {
    if (error instanceof LockError)
      return [problem(`${recording} cannot be recorded to: ${lockWords(error)}`, ELSEWHERE)];
    return [problem(`${recording} cannot be written: ${systemWords(error)}`, ELSEWHERE)];
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function room(folder: string): Verdict {
  const { bavail, bsize } = statfsSync(folder);
  const [free, kept] = [bavail * bsize, keptFreeBytes(folder)];
  const says = `${gibibytes(free)} free, of which ${gibibytes(kept)} are left free`;
  if (free > kept) return ok(says);
  return problem(
    `${gibibytes(free)} free: record waits until it is more than ${gibibytes(kept)}`,
    `make room, or ${ELSEWHERE}`,
  );
}

/** Recordings of several machines are put side by side by their wall clocks. */
function clock(isSynchronized: boolean | null): Verdict[] {
  if (isSynchronized === null) return [];
  if (isSynchronized) return [ok("synchronized")];
  return [note("not synchronized: times differ from other machines'", "timedatectl set-ntp true, or run chronyd")];
}
