import { lstatSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, SchemaError, systemWords, UsageError } from "../errors.ts";
import type { DetectedEvent } from "../events/event.ts";
import { SIMULATED_MACHINE, type SourceKind } from "../frame/frame.ts";
import { endingOf } from "./adopt.ts";
import { AppendFile } from "./append_file.ts";
import { FileBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { EarlierFiles } from "./earlier_files.ts";
import { examine, type Found, type Identity } from "./examine.ts";
import { type FileFacts, fileFacts } from "./file_facts.ts";
import { takeLock } from "./lock.ts";
import { closeFile, giveName, idAt, removeFile } from "./move_file.ts";
import type { LastFrame, Repair } from "./repair.ts";
import { type EventState, NO_EVENTS, resume } from "./resume.ts";
import type { Unclosed } from "./segment_writer.ts";

/** What is to be recorded, to be compared with what is there. */
export interface Target {
  readonly path: string;
  readonly codec: Codec;
  readonly source: SourceKind;
  /** The one host of a local recording. */
  readonly hostname: string;
  /** Tells it from others, where anything does. */
  readonly machine?: string | null;
}

/** A recording that is locked for us, and where it goes on. */
export interface Opened {
  /** The file at the path, to append to; `null` where the next frame is to create it. */
  readonly file: AppendFile | null;
  /** Whether that file has been made by us just now. */
  readonly isNew: boolean;
  readonly repair: Repair | null;
  /** The block of that file that wants its index line. */
  readonly unclosed: Unclosed | null;
  /** Locked: the file itself, or the newest closed segment. */
  readonly lock: AppendFile;
  readonly last: LastFrame | null;
  /** The conditions that were on at the last frame. */
  readonly open: readonly DetectedEvent[];
  readonly recording: string | null;
  /** The closed segments of that recording, oldest first. */
  readonly closed: readonly FileFacts[];
  /** The number that the segment at the path has. */
  readonly segment: number;
}

/**
 * Opens what there is at the path for continuing it, or creates it. Throws a UsageError where the path cannot be
 * recorded to; then nothing was changed.
 */
export async function openRecording(target: Target): Promise<Opened> {
  const { path } = target;
  if (statPath(path) !== null) return await openLocked(path, path, (file) => openExisting(file, target));
  const earlier = await findEarlier(path);
  const left = await leftBehind(earlier);
  if (left !== null) {
    return await openLocked(left, path, async (file) => {
      await attempt(path, () => giveName(left, path));
      return await openExisting(file, target);
    });
  }
  const newest = earlier.newest();
  if (newest === undefined) return await create(target, earlier);
  return await openLocked(newest.path, path, (file) => goOnBehind(file, newest, target, earlier));
}

/** `null` where there is nothing at the path; throws where there is something that is no regular file. */
function statPath(path: string): Stats | null {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) throw new UsageError(`${path}: is a symbolic link; give the path of the file itself`);
    if (stats.isDirectory()) throw new UsageError(`${path}: is a directory; give the path of a file`);
    if (!stats.isFile()) throw new UsageError(`${path}: is no regular file; give another path`);
    return stats;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw usage(path, error);
  }
  const directory = dirname(path);
  try {
    if (statSync(directory).isDirectory()) return null;
  } catch (error) {
    throw usage(directory, error);
  }
  throw new UsageError(`${directory}: is not a directory`);
}

const usage = (path: string, error: unknown): UsageError =>
  error instanceof UsageError ? error : new UsageError(`${path}: ${systemWords(error)}`);

/** What a recorder has left that was killed between the two names of a segment that it closed: it is to be put back. */
async function leftBehind(earlier: EarlierFiles): Promise<string | null> {
  const { left } = earlier;
  const id = left === undefined ? null : await idAt(left);
  if (left === undefined || id === null) return null;
  if (!earlier.hasName(id)) return left;
  await removeFile(left, id);
  return null;
}

const findEarlier = (path: string): Promise<EarlierFiles> => attempt(path, () => EarlierFiles.find(path));

async function create({ path }: Target, earlier: EarlierFiles): Promise<Opened> {
  const segment = earlier.nextNumber(null, 1);
  const file = await attempt(path, () => AppendFile.create(path));
  // Where there is no lock to be had nobody records to it.
  await lock(file, path, () => removeFile(path, file.id));
  return { file, isNew: true, repair: null, lock: file, ...NOTHING_KNOWN, closed: [], segment };
}

async function attempt<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw usage(path, error);
  }
}

/** Locks a file that is to be recorded to. Closes it on failure; `undo` where there is no lock to be had. */
async function lock(file: AppendFile, path: string, undo?: () => Promise<unknown>): Promise<void> {
  try {
    if (takeLock(file.fd, path)) return;
  } catch (error) {
    await undo?.();
    await file.close();
    throw error;
  }
  await file.close();
  throw new UsageError(`${path}: another all-smi is recording to it; stop that one, or give another path`);
}

const RETRIES = 10;

/** Opens and locks a file that is there, and is still there under that name when the lock is had. Closes it on failure. */
async function openLocked<T>(path: string, recording: string, use: (file: AppendFile) => Promise<T>): Promise<T> {
  for (let n = 0; n < RETRIES; n++) {
    const file = await attempt(path, () => AppendFile.open(path));
    await lock(file, recording);
    try {
      if ((await idAt(path)) === file.id) return await use(file);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
  throw new UsageError(`${path}: is being renamed over and over`);
}

/** Says why a file cannot be recorded to, if so. */
function look(file: AppendFile, codec: Codec, path: string): Recording {
  const found = examine(new FileBytes(file.fd), codec);
  if (found.kind === "foreign") {
    throw new UsageError(`${path}: exists and is not a recording; it was left as it is, give another path`);
  }
  if (found.kind === "refused") throw new SchemaError(found.schema);
  return found;
}

type Recording = Exclude<Found, { readonly kind: "foreign" | "refused" }>;

async function openExisting(file: AppendFile, target: Target): Promise<Opened> {
  const { path, codec } = target;
  const found = look(file, codec, path);
  const earlier = await findEarlier(path);
  if (found.kind === "empty") return await openEmpty(file, target, earlier);
  const { recording, segment: own } = found.identity;
  const closed = await earlier.closed(recording);
  const isFirst = recording !== null && (own ?? 1) === 1;
  const before = closed.length > 0 || isFirst ? closed : await earlier.all();
  const known = await history(new FileBytes(file.fd), found, target, [...before.map((one) => one.path), path]);
  const segment = earlier.nextNumber(recording, own ?? 1);
  const here = { isNew: false, lock: file, closed, segment };
  if (found.kind === "continue") return { ...known, ...here, file, repair: found.repair };
  return { ...known, ...here, file: null, repair: null, ...(await setAside(file, target, closed, segment)) };
}

/** There are no frames at the path: the recording is the one of the newest closed segment, if there is one. */
async function openEmpty(file: AppendFile, target: Target, earlier: EarlierFiles): Promise<Opened> {
  const here = { file, isNew: false, lock: file, repair: null, unclosed: null };
  const newest = earlier.newestBefore();
  if (newest === undefined) return { ...NOTHING_KNOWN, ...here, closed: [], segment: earlier.nextNumber(null, 1) };
  return await openLocked(newest.path, target.path, async (before) => {
    const { last, open, recording, closed, segment } = await goOnBehind(before, newest, target, earlier);
    await before.close();
    return { last, open, recording, closed, segment, ...here };
  });
}

/** Goes on in a new file behind the newest closed segment, which is locked. */
async function goOnBehind(file: AppendFile, newest: FileFacts, target: Target, earlier: EarlierFiles): Promise<Opened> {
  if (file.id !== newest.id) throw new UsageError(`${newest.path}: is being renamed over and over`);
  const { path, recording } = newest;
  const closed = await earlier.closed(recording);
  const files = [...closed.map((one) => one.path).filter((one) => one !== path), path];
  const known = await history(new FileBytes(file.fd), look(file, target.codec, path), target, files);
  const segment = earlier.nextNumber(recording, 1);
  return { ...known, file: null, isNew: false, repair: null, unclosed: null, lock: file, closed, segment };
}

/** What is at the path cannot be continued in the same file: it becomes a closed segment. */
async function setAside(
  file: AppendFile,
  { path }: Target,
  closed: readonly FileFacts[],
  number: number,
): Promise<Pick<Opened, "closed" | "segment">> {
  const named = await attempt(path, () => closeFile(path, file.id, number));
  const facts = await fileFacts(named.path);
  return { closed: facts?.recording == null ? closed : [...closed, facts], segment: named.number + 1 };
}

type Known = Pick<Opened, "last" | "open" | "unclosed" | "recording">;

const NOTHING_KNOWN: Known = { last: null, open: [], unclosed: null, recording: null };

/** What the last of these files knows, which are those of a recording, oldest first. */
async function history(file: FileBytes, found: Recording, target: Target, files: readonly string[]): Promise<Known> {
  if (found.kind !== "empty") refuseOther(found.identity, target, files.at(-1) ?? target.path);
  return await ending(file, found, target, files);
}

/** How the recording stood at the end of the last of its files. */
async function ending(file: FileBytes, found: Found, target: Target, files: readonly string[]): Promise<Known> {
  const older = files.slice(0, -1);
  if (found.kind === "continue") {
    const { last, repair, identity } = found;
    const earlier = repair.index === null ? await eventsAfter(target, older) : NO_EVENTS;
    return { last, recording: identity.recording, ...resume(file, target.codec, repair, earlier) };
  }
  if (found.kind !== "adopt") return NOTHING_KNOWN;
  const { recording } = found.identity;
  const ended = await endingOf(files, recording === null ? NO_EVENTS : await eventsAfter(target, older));
  return { last: ended?.last ?? null, open: ended?.open ?? [], unclosed: null, recording };
}

/** How things stood behind the last frame of these files. */
async function eventsAfter(target: Target, files: readonly string[]): Promise<EventState> {
  const newest = files.at(-1);
  if (newest === undefined) return NO_EVENTS;
  const file = FileBytes.open(newest);
  try {
    const { last, open } = await ending(file, examine(file, target.codec), target, files);
    return { open, last_ms: last?.elapsed_ms ?? null };
  } finally {
    file.close();
  }
}

/** A machine that was renamed is the same: it is another one only where both machines are known. */
function refuseOther({ source, hosts, machine }: Identity, target: Target, path: string): void {
  if (source !== null && source !== target.source) {
    throw new UsageError(`${path}: is a ${source} recording, this one would be ${target.source}; give another path`);
  }
  const host = hosts?.[0];
  if (target.source !== "local" || host === undefined || host === target.hostname) return;
  const own = target.machine ?? null;
  const isOther = machine !== null && own !== null && machine !== own;
  if (own === SIMULATED_MACHINE || isOther) {
    throw new UsageError(`${path}: is a recording of ${host}, this is ${target.hostname}; give another path`);
  }
}
