import { lstatSync, statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode, systemWords, UsageError } from "../errors.ts";
import { FactsReader, type FileFacts, fileFacts } from "./file_facts.ts";
import { type FileGroup, goingOnAt, groupFiles } from "./file_groups.ts";
import { fileId } from "./file_id.ts";
import { recordingExtension } from "./name.ts";
import { SegmentReader } from "./segment_reader.ts";

/** All segments of a recording, open. */
export interface OpenSegments {
  /** Where the recording goes on; there may be nothing. */
  readonly path: string;
  /** Oldest first. */
  readonly segments: SegmentReader[];
}

/** The files of a recording as they were found. */
interface FoundFiles {
  readonly active: string;
  /** Paths as they are to be said, and which file each was; `null` where that could not be found out. */
  readonly files: readonly { readonly path: string; readonly id: string | null }[];
}

const MOST_TRIES = 10;

/** Finds the segments of a recording among the files of a folder, also again and again: a recorder adds to them. */
export class SegmentFinder {
  readonly #facts = new FactsReader();
  /** When the folder was changed, as it was seen last. */
  #folder_ns = 0n;

  /**
   * Opens the recording at a path, one of its segments, or the only one in a folder. Where a recorder renames files
   * meanwhile it begins again. Throws a UsageError.
   */
  async open(path: string): Promise<OpenSegments> {
    for (let tries = 1; ; tries++) {
      const found = await this.#find(path);
      const { segments, failure } = openEach(found.files);
      const isSettled = failure === null && segments.every(({ file }, n) => isAsFound(file.id, found.files[n]?.id));
      if (isSettled) return { path: found.active, segments };
      for (const segment of segments) segment.close();
      if (tries === MOST_TRIES) throw failure ?? new UsageError(`${path}: is being renamed over and over`);
    }
  }

  /**
   * Opens the files of the recording at a path that are none of `known`: what a rotation has added. One under way is
   * seen half done now and then: then there are none yet. Another recording at the path adds none. Those that are known
   * are told of their new names.
   */
  async openNewer(path: string, known: readonly SegmentReader[]): Promise<SegmentReader[]> {
    const ids = new Set(known.map(({ file }) => file.id));
    try {
      if (!(await this.#mayHaveNewer(path, ids))) return [];
      const isOfIt = (file: FileFacts): boolean => ids.has(file.id) || isOfOne(file, known);
      const group = (await this.#groupsAround(path)).find(({ files }) => files.some(isOfIt));
      for (const { id, path: name } of group?.files ?? []) known.find(({ file }) => file.id === id)?.renamed(name);
      const newer = (group?.files ?? []).filter(({ id }) => !ids.has(id));
      if (newer.some(({ isRecording }) => !isRecording)) return [];
      const { segments, failure } = openEach(newer);
      if (failure === null) return segments;
      for (const segment of segments) segment.close();
    } catch {}
    return [];
  }

  /** Where there is nothing at the path, a closed segment may have come to the folder since the last look. */
  async #mayHaveNewer(path: string, ids: ReadonlySet<string>): Promise<boolean> {
    const newest = await stat(path, { bigint: true }).catch(() => null);
    if (newest !== null) return !ids.has(fileId(newest));
    const { mtimeNs } = await stat(dirname(path), { bigint: true });
    const hasChanged = mtimeNs !== this.#folder_ns;
    this.#folder_ns = mtimeNs;
    return hasChanged;
  }

  async #find(path: string): Promise<FoundFiles> {
    if (path === "") throw new UsageError("the path is empty: give that of a recording");
    if (isDirectory(path)) return await this.#onlyRecordingIn(path);
    const group = await this.#groupOf(path);
    if (group !== null) return foundFiles(group, path);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw new UsageError(`${path}: no such file`);
    // It cannot be read: opening it says why.
    return { active: path, files: [{ path, id: null }] };
  }

  /** The recording that has a file at the path, or goes on there. Throws a UsageError where there are several. */
  async #groupOf(path: string): Promise<FileGroup | null> {
    const groups = await this.#groupsAround(path);
    const own = await stat(path, { bigint: true }).then(fileId, () => null);
    const isIn = ({ files, copies }: FileGroup): boolean => [...files, ...copies].some(({ id }) => id === own);
    if (own !== null) return groups.find(isIn) ?? null;
    const going = goingOnAt(groups, join(path));
    if (going.length > 1) throw new UsageError(`${path}: no such file; several have it in their names: ${list(going)}`);
    return going[0] ?? null;
  }

  /** The recordings of all files that may be of the one at a path. */
  async #groupsAround(path: string): Promise<FileGroup[]> {
    const here = join(path);
    const names = await namesIn(dirname(path));
    const own = await fileFacts(here, true);
    const family = names.filter((name) => isKin(name, basename(here)) && name !== basename(here));
    const others = await this.#facts.read(family.map((name) => join(dirname(here), name)));
    return await groupFiles(own === null ? others : [...others, own]);
  }

  async #onlyRecordingIn(directory: string): Promise<FoundFiles> {
    const names = (await namesIn(directory)).filter((name) => recordingExtension(name) !== "");
    const facts = await this.#facts.read(names.map((name) => join(directory, name)));
    // What is compressed may be anything; what is called a recording is said to be none when it is opened.
    const groups = (await groupFiles(facts)).filter(({ files }) => files.some(isCalledRecording));
    const [only, ...others] = groups;
    if (only === undefined) throw new UsageError(`${directory}: there is no recording in it`);
    if (others.length === 0) return foundFiles(only, "");
    throw new UsageError(`${directory}: there are several recordings in it, give one: ${list(groups)}`);
  }
}

const isCalledRecording = ({ path, isRecording }: FileFacts): boolean =>
  isRecording || recordingExtension(path).startsWith(".ndjson");

const isOfOne = ({ recording }: FileFacts, known: readonly SegmentReader[]): boolean =>
  recording !== null && known.some(({ header }) => header?.recording === recording);

/** Which file it was is not known of one that could not be looked at. */
const isAsFound = (id: string, found: string | null | undefined): boolean => found == null || found === id;

/** The beginning of a name up to its first dot, and what it ends with, are the same in all files of a recording. */
const isKin = (one: string, other: string): boolean =>
  one.split(".", 1)[0] === other.split(".", 1)[0] && recordingExtension(one) === recordingExtension(other);

const foundFiles = ({ active, files }: FileGroup, path: string): FoundFiles => ({
  active: active === join(path) ? path : active,
  files: files.map((file) => ({ path: file.path === join(path) ? path : file.path, id: file.id })),
});

/** Each by a path that opens it. */
const list = (groups: readonly FileGroup[]): string =>
  groups
    .map((group) => basename(nameOf(group, groups)))
    .sort()
    .join(", ");

function nameOf({ active, files }: FileGroup, groups: readonly FileGroup[]): string {
  const isOwn = files.some(({ path }) => path === active);
  const isOnly = groups.every((other) => other.files === files || other.active !== active);
  return isOwn || isOnly ? active : (files.at(-1)?.path ?? active);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new UsageError(`${directory}: ${systemWords(error)}`);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw new UsageError(`${path}: ${systemWords(error)}`);
  }
}

/** Opens one after the other, up to the first that cannot be. */
function openEach(files: readonly { readonly path: string }[]): { segments: SegmentReader[]; failure: unknown } {
  const segments: SegmentReader[] = [];
  try {
    for (const { path } of files) segments.push(SegmentReader.open(path));
    return { segments, failure: null };
  } catch (failure) {
    return { segments, failure };
  }
}
