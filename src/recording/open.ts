import { lstatSync, renameSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, SchemaError, systemWords, UsageError } from "../errors.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { SourceKind } from "../frame/frame.ts";
import { lockFile } from "../libc.ts";
import { endingOf } from "./adopt.ts";
import { AppendFile, syncDirectory } from "./append_file.ts";
import { FileBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { examine, type Found, type Identity } from "./examine.ts";
import { listSegments, nextNumber, type Segment, segmentPath } from "./name.ts";
import type { LastFrame, Repair } from "./repair.ts";
import { type EventState, NO_EVENTS, resume } from "./resume.ts";
import { isRecording } from "./room.ts";
import type { Unclosed } from "./segment_writer.ts";

/** What is to be recorded, to be compared with what is there. */
export interface Target {
  readonly path: string;
  readonly codec: Codec;
  readonly source: SourceKind;
  /** The one host of a local recording. */
  readonly hostname: string;
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
  /** The number that the segment at the path has. */
  readonly segment: number;
}

/**
 * Opens what there is at the path for continuing it, or creates it. Throws a UsageError where the path cannot be
 * recorded to; then nothing was changed.
 */
export async function openRecording(target: Target): Promise<Opened> {
  const stats = statPath(target.path);
  if (stats !== null) return await openExisting(target);
  const newest = newestSegment(target);
  if (newest === undefined) return create(target);
  const lock = openLocked(newest.path, target.path);
  const found = look(lock, target.codec, newest.path);
  const known = await history(new FileBytes(lock.fd), found, target, newest.path);
  return { ...known, file: null, isNew: false, repair: null, unclosed: null, lock, segment: nextNumber(target.path) };
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

const newestSegment = ({ path }: Target): Segment | undefined =>
  listSegments(path).findLast((one) => attempt(one.path, () => isRecording(one.path)));

function create({ path }: Target): Opened {
  const file = attempt(path, () => AppendFile.create(path));
  lock(file, path);
  return { file, isNew: true, repair: null, lock: file, ...NOTHING_KNOWN, segment: nextNumber(path) };
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw usage(path, error);
  }
}

function lock(file: AppendFile, path: string): void {
  if (lockFile(file.fd)) return;
  file.close();
  throw new UsageError(`${path}: another all-smi is recording to it; stop that one, or give another path`);
}

const RETRIES = 10;

/** Opens and locks a file that is there, and is still there under that name when the lock is had. */
function openLocked(path: string, recording: string): AppendFile {
  for (let n = 0; n < RETRIES; n++) {
    const file = attempt(path, () => AppendFile.open(path));
    lock(file, recording);
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino === file.inode) return file;
    file.close();
  }
  throw new UsageError(`${path}: is being renamed over and over`);
}

/** Says why a file cannot be recorded to, if so. */
function look(file: AppendFile, codec: Codec, path: string): Found {
  const found = examine(new FileBytes(file.fd), codec);
  if (found.kind === "foreign") {
    throw new UsageError(`${path}: exists and is not a recording; it was left as it is, give another path`);
  }
  if (found.kind === "refused") throw new SchemaError(found.schema);
  return found;
}

async function openExisting(target: Target): Promise<Opened> {
  const { path, codec } = target;
  const file = openLocked(path, path);
  try {
    const found = look(file, codec, path);
    const known = await history(new FileBytes(file.fd), found, target, path);
    const segment = nextNumber(path);
    const here = { file, isNew: false, lock: file, segment };
    if (found.kind === "continue") return { ...known, ...here, repair: found.repair };
    if (found.kind === "empty") return { ...(await before(target)), ...here, repair: null, unclosed: null };
    renameSync(path, segmentPath(path, segment));
    syncDirectory(dirname(path));
    return { ...known, ...here, file: null, repair: null, segment: segment + 1 };
  } catch (error) {
    file.close();
    throw error;
  }
}

type Known = Pick<Opened, "last" | "open" | "unclosed" | "recording">;

const NOTHING_KNOWN: Known = { last: null, open: [], unclosed: null, recording: null };

/** What the newest closed segment knows, for a path at which there are no frames. */
async function before(target: Target): Promise<Known> {
  const newest = newestSegment(target);
  if (newest === undefined) return NOTHING_KNOWN;
  const file = attempt(newest.path, () => AppendFile.open(newest.path));
  try {
    return await history(new FileBytes(file.fd), look(file, target.codec, newest.path), target, newest.path);
  } finally {
    file.close();
  }
}

async function history(file: FileBytes, found: Found, target: Target, path: string): Promise<Known> {
  if (found.kind === "continue" || found.kind === "adopt") refuseOther(found.identity, target, path);
  return await ending(file, found, target, path);
}

/** How the recording stood at the end of this file of it. */
async function ending(file: FileBytes, found: Found, target: Target, path: string): Promise<Known> {
  if (found.kind === "continue") {
    const { last, repair, identity } = found;
    const earlier = repair.index === null ? await eventsBefore(target, path) : NO_EVENTS;
    return { last, recording: identity.recording, ...resume(file, target.codec, repair, earlier) };
  }
  if (found.kind !== "adopt") return NOTHING_KNOWN;
  const { recording } = found.identity;
  const older = olderSegments(target, path).map((one) => one.path);
  const ended = await endingOf([...older, path], recording === null ? NO_EVENTS : await eventsBefore(target, path));
  return { last: ended?.last ?? null, open: ended?.open ?? [], unclosed: null, recording };
}

function olderSegments(target: Target, path: string): Segment[] {
  const segments = listSegments(target.path);
  const own = segments.findIndex((one) => one.path === path);
  return segments.slice(0, own < 0 ? segments.length : own).filter((one) => isRecording(one.path));
}

/** How things stood before the first frame of this file. */
async function eventsBefore(target: Target, path: string): Promise<EventState> {
  const segment = olderSegments(target, path).at(-1);
  if (segment === undefined) return NO_EVENTS;
  const file = FileBytes.open(segment.path);
  try {
    const { last, open } = await ending(file, examine(file, target.codec), target, segment.path);
    return { open, last_ms: last?.elapsed_ms ?? null };
  } finally {
    file.close();
  }
}

function refuseOther({ source, hosts }: Identity, target: Target, path: string): void {
  if (source !== null && source !== target.source) {
    throw new UsageError(`${path}: is a ${source} recording, this one would be ${target.source}; give another path`);
  }
  const host = hosts?.[0];
  if (target.source === "local" && host !== undefined && host !== target.hostname) {
    throw new UsageError(`${path}: is a recording of ${host}, this is ${target.hostname}; give another path`);
  }
}
