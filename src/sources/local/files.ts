import { accessSync, closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileThreads } from "../file_threads.ts";
import type { Reading } from "../source.ts";
import { FoldersBelow, linkBelow } from "./below_root.ts";

/** To open a file for reading and never wait, whatever it is. */
export const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

/** Named where several do not answer. */
const MOST_NAMED = 3;

/** Codes by which a file, or the device behind it, says that there is nothing to read. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ENODEV", "ENXIO", "ENODATA", "EOPNOTSUPP", "EAGAIN"]);

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);

/**
 * The files of one machine, below a prefix: `""` is this machine, `/host` the one around a container. What is missing
 * or empty is `null`; what is there and cannot be read is `null` too, and the first such file is told by `complaint`.
 */
export class Tree {
  readonly root: string;
  readonly #folders: FoldersBelow;
  readonly #absent: ReadonlySet<string>;
  readonly #unanswered = new Set<string>();
  #complaint: string | null = null;
  #buffer = Buffer.allocUnsafe(16 * 1024);

  /** @param absent Codes by which a driver says, beside the usual ones, that there is nothing to read. */
  constructor(root: string, absent: readonly string[] = []) {
    this.root = root.replace(/(?<!\/)\/+$/, "");
    this.#folders = new FoldersBelow(this.root);
    this.#absent = new Set([...ABSENT, ...absent]);
  }

  /** Where a file is found from here: links are followed below the root. Throws `ELOOP` for a circle of them. */
  path(file: string): string {
    return this.#folders.file(file);
  }

  text(file: string): string | null {
    try {
      return readFileSync(this.path(file), { encoding: "utf8", flag: AT_ONCE }).trim() || null;
    } catch (error) {
      return this.#failed(file, error);
    }
  }

  /** As `text`, for files behind which slow hardware may stand: one that does not answer for long is `null`, and told. */
  async textLater(file: string): Promise<string | null> {
    return (await this.bytesLater(file))?.toString("utf8").trim() || null;
  }

  /** As `textLater`, of what is no text. */
  async bytesLater(file: string): Promise<Buffer | null> {
    try {
      const path = this.path(file);
      const read = await fileThreads.runPatiently(deviceOf(file), () =>
        readFile(path).finally(() => this.#unanswered.delete(file)),
      );
      if (read === "late") this.#unanswered.add(file);
      if (read === "blocked") this.complain(`${file}: not read, as others do not answer`);
      return typeof read === "string" ? null : read;
    } catch (error) {
      return this.#failed(file, error);
    }
  }

  /** Files that were asked for long ago. */
  get unanswered(): readonly string[] {
    return [...this.#unanswered];
  }

  /** A number that cannot be negative, as nearly all are. */
  natural(file: string): number | null {
    return parseNatural(this.text(file));
  }

  async naturalLater(file: string): Promise<number | null> {
    return parseNatural(await this.textLater(file));
  }

  async integerLater(file: string): Promise<number | null> {
    return parseInteger(await this.textLater(file));
  }

  /** The names in a folder, in the order of the numbers in them. */
  names(folder: string): string[] {
    this.#folders.forget();
    try {
      return readdirSync(this.path(folder)).sort(byNumber);
    } catch (error) {
      this.#failed(folder, error);
      return [];
    }
  }

  /** The last part of what a link points to. */
  link(file: string): string | null {
    try {
      return basename(readlinkSync(linkBelow(this.root, file)));
    } catch {
      return null;
    }
  }

  isReadable(file: string): boolean {
    try {
      accessSync(this.path(file), constants.R_OK);
      return true;
    } catch {
      return false;
    }
  }

  hot(file: string): HotFile {
    return new HotFile(this, file);
  }

  /** Fills the tree's one buffer, which the next call overwrites, from the start of an open file. */
  fill(descriptor: number): Buffer {
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, this.#buffer, length, this.#buffer.length - length, length);
      length += count;
      if (count === 0) return this.#buffer.subarray(0, length);
      if (length === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer], length * 2);
    }
  }

  /** Notes something that went wrong; of one cycle only the first is kept. */
  complain(message: string): void {
    this.#complaint ??= message;
  }

  /** Adds to a reading what was complained of since the last one. */
  finish(source: string, reading: Reading): Reading {
    const complaint = doNotAnswer(this.unanswered) ?? this.#complaint;
    this.#complaint = null;
    this.#folders.forget();
    return complaint === null ? reading : { ...reading, errors: [`${source}: ${complaint}`] };
  }

  #failed(file: string, error: unknown): null {
    const code = codeOf(error);
    if (!this.#absent.has(code)) this.complain(`${file}: ${code}`);
    return null;
  }
}

function doNotAnswer(files: readonly string[]): string | null {
  const [first] = files;
  if (first === undefined || files.length === 1) return first === undefined ? null : `${first} does not answer`;
  const others = files.length - MOST_NAMED;
  return `${files.slice(0, MOST_NAMED).join(", ")}${others > 0 ? ` and ${others} more` : ""} do not answer`;
}

/** What stands behind a file: of one device all hang together. The CPUs' drivers are one. */
const deviceOf = (file: string): string =>
  /^\/sys\/(devices\/system\/cpu|class\/powercap|class\/[^/]+\/[^/]+)\//.exec(file)?.[0] ??
  file.slice(0, file.lastIndexOf("/"));

/** A small file that is read every cycle: opened once (an open costs as much as the read), then read from its start. */
export class HotFile {
  readonly #tree: Tree;
  readonly #file: string;
  #descriptor: number | null = null;

  constructor(tree: Tree, file: string) {
    this.#tree = tree;
    this.#file = file;
  }

  /** The file's bytes, until any other file of the tree is read. */
  bytes(): Buffer | null {
    try {
      this.#descriptor ??= openSync(this.#tree.path(this.#file), AT_ONCE);
      return this.#tree.fill(this.#descriptor);
    } catch (error) {
      this.close();
      // Such a file is there on every Linux.
      this.#tree.complain(`${this.#file}: ${codeOf(error)}`);
      return null;
    }
  }

  text(): string | null {
    return this.bytes()?.toString("latin1").trim() || null;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

export function parseInteger(text: string | null): number | null {
  if (text === null || !/^-?\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  // Of -0 the sum with 0 is 0.
  return Number.isSafeInteger(value) ? value + 0 : null;
}

export function parseNatural(text: string | null): number | null {
  const value = parseInteger(text);
  return value !== null && value >= 0 ? value : null;
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

/** CPU numbers as the kernel lists them: `0-3,8`; it can have 8192. */
export function parseCpuList(text: string | null): number[] {
  const cpus: number[] = [];
  for (const part of text?.trim().split(",") ?? []) {
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (range === null) continue;
    const first = Number(range[1]);
    for (let cpu = first; cpu <= Number(range[2] ?? first); cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** To one digit after the point: each further one costs bytes in every frame. */
export const round1 = (value: number): number => Math.round(value * 10) / 10 + 0;

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The highest of what is known. */
export function highest(values: readonly (number | null)[]): number | null {
  return values.reduce((high, value) => (high === null || (value !== null && value > high) ? value : high), null);
}
