import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FactsReader, type FileFacts } from "./file_facts.ts";
import { type FileGroup, groupByRecording, groupFiles } from "./file_groups.ts";
import { betweenNames } from "./move_file.ts";
import { freeNumber, nameInHeader, numberedAmong, ownersOf } from "./name.ts";

/** What stands beside the path of a recording and is called like a closed segment of it, as a recorder finds it. */
export class EarlierFiles {
  readonly #path: string;
  readonly #names: readonly string[];
  readonly #facts: readonly FileFacts[];

  private constructor(path: string, names: readonly string[], facts: readonly FileFacts[]) {
    this.#path = path;
    this.#names = names;
    this.#facts = facts;
  }

  static async find(given: string): Promise<EarlierFiles> {
    const path = join(given);
    const names = await readdir(dirname(path));
    const paths = numberedAmong(path, names).map((one) => one.path);
    return new EarlierFiles(path, names, await new FactsReader().read([...paths, path]));
  }

  /** The files of the recording with that UUID, oldest first, without the one at the path. */
  async closed(recording: string | null): Promise<FileFacts[]> {
    if (recording === null) return [];
    return this.#without(await groupByRecording(this.#facts.filter((one) => one.recording === recording)));
  }

  /** The same with those without a UUID that it goes on from. All of these are read where their dates do not tell. */
  async all(): Promise<FileFacts[]> {
    return this.#without(await groupFiles(this.#facts));
  }

  #without(groups: readonly FileGroup[]): FileFacts[] {
    const isHere = ({ files }: FileGroup): boolean => files.some(({ path }) => path === this.#path);
    const own = groups.find(isHere) ?? groups.find(({ active }) => active === this.#path);
    return (own?.files ?? []).filter(({ path }) => path !== this.#path);
  }

  /**
   * The newest closed segment of which the recording at the path goes on where there is nothing at the path: its number
   * is that of its header, and it was begun under this name.
   */
  newest(): FileFacts | undefined {
    return this.#facts.findLast((one) => this.#isNumberOf(one, one.segment) && this.#isBegunHere(one));
  }

  /** The same where the file at the path has lost what was in it: a power loss leaves zero bytes. */
  newestBefore(): FileFacts | undefined {
    const isOf = ({ path, file }: FileFacts) => path !== this.#path && file === nameInHeader(this.#path);
    return this.#facts.findLast(isOf) ?? this.newest();
  }

  #isNumberOf({ path }: FileFacts, number: number | null): boolean {
    return ownersOf(path).some((owner) => owner.path === this.#path && owner.number === number);
  }

  /** Files older than the key `file` are known by their number: a recording of its own has one only. */
  #isBegunHere({ recording, file, path }: FileFacts): boolean {
    if (recording === null) return false;
    if (file !== null) return file === nameInHeader(this.#path);
    return this.#facts.some(
      (other) => other.recording === recording && other.path !== path && other.path !== this.#path,
    );
  }

  /** What a recorder has left that was killed while it closed a segment. */
  get left(): string | undefined {
    return betweenNames(this.#path, this.#names)[0];
  }

  /** Whether a file has the name of a closed segment already. */
  hasName(id: string): boolean {
    return this.#facts.some((one) => one.id === id && one.path !== this.#path);
  }

  /** The number of the next segment of a recording: higher than any that it has, and nothing stands under it. */
  nextNumber(recording: string | null, atLeast: number): number {
    const own = recording === null ? [] : this.#facts.filter((one) => one.recording === recording);
    const numbers = own.flatMap(({ path, segment }) => [
      ...ownersOf(path).flatMap((owner) => (owner.path === this.#path ? [owner.number] : [])),
      ...(path === this.#path ? [] : [segment ?? 0]),
    ]);
    return freeNumber(
      this.#path,
      numbers.reduce((most, number) => Math.max(most, number + 1), atLeast),
      this.#names,
    );
  }
}
