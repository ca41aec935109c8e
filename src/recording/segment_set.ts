import { lstatSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode, systemWords, UsageError } from "../errors.ts";
import { listSegments } from "./name.ts";
import { SegmentReader } from "./segment_reader.ts";

const RECORDING_NAME = /\.ndjson(\.zst|\.gz)?$/;
const NUMBERED = /\.\d{4,}(?=\.|$)/;

/** The files of a recording, oldest first. */
export interface SegmentSet {
  /** The path of the recording, of which the newest file may be absent. */
  readonly path: string;
  readonly files: readonly string[];
}

const MOST_TRIES = 10;

/**
 * Opens all segments of a recording, oldest first. Where a recorder renames them meanwhile it begins again. Throws a
 * UsageError.
 */
export function openSegments(path: string): { readonly path: string; readonly segments: SegmentReader[] } {
  for (let tries = 1; ; tries++) {
    const found = findSegments(path);
    const { segments, failure } = openEach(found.files);
    const isSettled = tries === MOST_TRIES || existing(found.path).join("\n") === found.files.join("\n");
    if (isSettled && failure === null) return { path: found.path, segments };
    for (const segment of segments) segment.close();
    if (isSettled) throw failure;
  }
}

/**
 * Opens the files of the recording at a path that are none of `known`: what a rotation has added. One under way is seen
 * half done now and then: then there are none yet.
 */
export function openNewer(path: string, known: readonly SegmentReader[]): SegmentReader[] {
  const inodes = new Set(known.map(({ file }) => file.inode));
  try {
    const newest = statSync(path, { throwIfNoEntry: false });
    if (newest === undefined || inodes.has(newest.ino)) return [];
    const { segments } = openSegments(path);
    const newer = segments.filter(({ file }) => !inodes.has(file.inode));
    for (const segment of segments) if (!newer.includes(segment)) segment.close();
    return newer;
  } catch {
    return [];
  }
}

/** Opens one after the other, up to the first that cannot be. */
function openEach(files: readonly string[]): { segments: SegmentReader[]; failure: unknown } {
  const segments: SegmentReader[] = [];
  try {
    for (const file of files) segments.push(SegmentReader.open(file));
    return { segments, failure: null };
  } catch (failure) {
    return { segments, failure };
  }
}

/**
 * Finds all segments of the recording at a path: of the recording itself, of any of its segments, or of the folder
 * that holds one. Throws a UsageError where there is none, or several.
 */
function findSegments(path: string): SegmentSet {
  if (path === "") throw new UsageError("the path is empty: give that of a recording");
  if (isDirectory(path)) return onlyRecordingIn(path);
  const active = activePath(path);
  const files = existing(active);
  if (files.length === 0) throw new UsageError(`${path}: no such file`);
  return { path: active, files };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw new UsageError(`${path}: ${systemWords(error)}`);
  }
}

/** `a.0001.ndjson.zst` is a segment of `a.ndjson.zst` where the numbers say so; any other file stands for itself. */
function activePath(path: string): string {
  const name = basename(path);
  if (!RECORDING_NAME.test(name) || !NUMBERED.test(name)) return path;
  const active = join(dirname(path), name.replace(NUMBERED, ""));
  return listOf(active).includes(path) || listOf(active).includes(join(path)) ? active : path;
}

function listOf(path: string): string[] {
  try {
    return listSegments(path).map((one) => one.path);
  } catch (error) {
    throw new UsageError(`${dirname(path)}: ${systemWords(error)}`);
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const existing = (path: string): string[] => [
  ...(isThere(dirname(path)) && RECORDING_NAME.test(path) ? listOf(path) : []),
  ...(isThere(path) ? [path] : []),
];

function onlyRecordingIn(directory: string): SegmentSet {
  const names = readdirSync(directory).filter((name) => RECORDING_NAME.test(name));
  const paths = [...new Set(names.map((name) => activePath(join(directory, name))))].sort();
  const [only, ...others] = paths;
  if (only === undefined) throw new UsageError(`${directory}: there is no recording in it`);
  if (others.length > 0) {
    const list = paths.map((path) => basename(path)).join(", ");
    throw new UsageError(`${directory}: there are several recordings in it, give one: ${list}`);
  }
  return { path: only, files: existing(only) };
}
