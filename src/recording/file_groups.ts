import { constants, open } from "node:fs/promises";
import type { FileFacts } from "./file_facts.ts";
import { nameInHeader, ownersOf } from "./name.ts";
import { isBefore, joinedByTimes } from "./unnamed_files.ts";

/** The files of one recording, oldest first. */
export interface FileGroup {
  /** Where the recording goes on; there may be nothing. */
  readonly active: string;
  readonly files: readonly FileFacts[];
  /** Other names of these files, and copies of them. */
  readonly copies: readonly FileFacts[];
}

const NOT_NUMBERED = Number.POSITIVE_INFINITY;

/**
 * Puts the files of one folder together into recordings: by what their headers say, never by their names alone. Those
 * that say nothing (the Rust tool's) are put together by their times.
 */
export async function groupFiles(files: readonly FileFacts[]): Promise<FileGroup[]> {
  const groups = await groupByRecording(files);
  const unnamed = await joinedByTimes(files.filter(isUnnamed));
  const linked = await Promise.all(groups.map((group) => withEarlier(group, unnamed)));
  const taken = new Set(linked.flatMap((group) => group.files));
  const rest = unnamed.filter((group) => !group.files.some((file) => taken.has(file)));
  return withEmpty([...linked, ...rest], files);
}

/** Of the Rust tool, or without a header. */
const isUnnamed = ({ isRecording, recording }: FileFacts): boolean => isRecording && recording === null;

/** The recordings that have a UUID. */
export async function groupByRecording(files: readonly FileFacts[]): Promise<FileGroup[]> {
  const named = files.filter(({ recording }) => recording !== null);
  const byRecording = Map.groupBy(named, ({ recording }) => recording);
  const groups: FileGroup[] = [];
  for (const members of byRecording.values()) {
    for (const [active, some] of Map.groupBy(members, (file) => activeOf(file, members))) {
      const files = await withoutCopies(inOrder(active, some), active);
      groups.push({ active, files, copies: some.filter((file) => !files.includes(file)) });
    }
  }
  return groups;
}

/** Where the recording of a file goes on; `members`: the files with its UUID. */
function activeOf({ path, segment, file }: FileFacts, members: readonly FileFacts[]): string {
  const owners = ownersOf(path);
  const isBegunAs = (owner: string): boolean => file === nameInHeader(owner);
  const byFile = owners.find((owner) => isBegunAs(owner.path)) ?? (isBegunAs(path) ? { path } : undefined);
  // It was renamed, or is older than the key `file`.
  const byNumber = () => owners.find(({ number }) => number === segment);
  const byOthers = () => owners.find((owner) => members.some((one) => one.path !== path && isOf(one.path, owner.path)));
  return (byFile ?? byNumber() ?? byOthers())?.path ?? path;
}

/** Whether a file is called like that recording, or one of its closed segments. */
const isOf = (path: string, recording: string): boolean =>
  path === recording || ownersOf(path).some((owner) => owner.path === recording);

/** The number that a file's name gives it. */
const numberOf = (path: string, active: string): number =>
  ownersOf(path).find((owner) => owner.path === active)?.number ?? NOT_NUMBERED;

/** The headers say in which order; files of which they say the same are in that of their names. */
function inOrder(active: string, files: readonly FileFacts[]): FileFacts[] {
  const key = ({ path, segment, first_seq }: FileFacts): readonly number[] => {
    const number = numberOf(path, active);
    return [segment ?? number, first_seq ?? 0, number];
  };
  const keyed = files.map((file) => ({ file, key: key(file) }));
  keyed.sort((a, b) => a.key.map((value, n) => compare(value, b.key[n] ?? 0)).find((order) => order !== 0) ?? 0);
  return keyed.map(({ file }) => file);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** One file under two names, and what was copied under another name in the same folder, is there once. */
async function withoutCopies(files: readonly FileFacts[], active: string): Promise<FileFacts[]> {
  const kept: FileFacts[] = [];
  for (const same of Map.groupBy(files, sameHeader).values()) kept.push(...(await distinct(same, active)));
  return kept;
}

/** Of a copy the header is the same. */
const sameHeader = ({ segment, first_seq, t_ms }: FileFacts): string => JSON.stringify([segment, first_seq, t_ms]);

async function distinct(files: readonly FileFacts[], active: string): Promise<FileFacts[]> {
  const kept: { file: FileFacts; start: Buffer }[] = [];
  if (files.length === 1) return [...files];
  for (const file of files) {
    const start = await startOf(file.path);
    const at = kept.findIndex((one) => one.file.id === file.id || isPrefix(one.start, start));
    const known = kept[at]?.file;
    if (known === undefined) kept.push({ file, start });
    else if (isBetter(file, known, active)) kept[at] = { file, start };
  }
  return kept.map(({ file }) => file);
}

/** Of a file and its copies the longest stays, and of those that are as long the one that its recorder wrote. */
const isBetter = (file: FileFacts, known: FileFacts, active: string): boolean =>
  file.bytes === known.bytes ? isInPlace(file, active) && !isInPlace(known, active) : file.bytes > known.bytes;

const isInPlace = ({ path, segment }: FileFacts, active: string): boolean =>
  path === active || numberOf(path, active) === segment;

/** Whether the shorter one is the beginning of the other. */
function isPrefix(one: Buffer, other: Buffer): boolean {
  const length = Math.min(one.length, other.length);
  return one.subarray(0, length).equals(other.subarray(0, length));
}

const START_BYTES = 64 << 10;

async function startOf(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * A recording that goes on from one without a UUID begins with the number behind it, and counts its frames: the two are
 * one timeline.
 */
async function withEarlier(group: FileGroup, unnamed: readonly FileGroup[]): Promise<FileGroup> {
  const { segment = null, first_seq = null, t_ms = null } = group.files[0] ?? {};
  if (segment === null || segment < 2 || !first_seq || t_ms === null) return group;
  const before = unnamed.find(({ files }) => numberOf(files.at(-1)?.path ?? "", group.active) === segment - 1);
  const last = before?.files.at(-1);
  if (before === undefined || last === undefined || !(await isBefore(last, t_ms))) return group;
  return { ...group, files: [...before.files, ...group.files] };
}

/** A file that nothing can be read of belongs to the recording at its path: it is the one that is just begun. */
function withEmpty(groups: readonly FileGroup[], files: readonly FileFacts[]): FileGroup[] {
  let found = [...groups];
  for (const file of files.filter(({ isRecording }) => !isRecording)) {
    const own = goingOnAt(found, file.path);
    const group = own.length === 1 ? own[0] : undefined;
    if (group === undefined) found.push({ active: file.path, files: [file], copies: [] });
    else
      found = found.map((one) =>
        one === group ? { ...group, active: file.path, files: [...group.files, file] } : one,
      );
  }
  return found;
}

/**
 * The recordings that go on at a path. Where none does for sure, those of before the key `file` that have a name of its
 * closed segments.
 */
export function goingOnAt(groups: readonly FileGroup[], path: string): FileGroup[] {
  const sure = groups.filter(({ active }) => active === path);
  if (sure.length > 0) return sure;
  return groups.filter(({ files }) =>
    files.every((one) => one.recording !== null && one.file === null && numberOf(one.path, path) !== NOT_NUMBERED),
  );
}
