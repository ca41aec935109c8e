import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.ts";
import { cleanText } from "../frame/clean_text.ts";
import { type CodecName, codecs } from "./codec.ts";

const EXTENSIONS: readonly (readonly [string, CodecName])[] = [
  [codecs.zstd.extension, "zstd"],
  [codecs.gzip.extension, "gzip"],
  [codecs.none.extension, "none"],
  [".zst", "zstd"],
  [".gz", "gzip"],
];

/** Where a recording goes, and as what. */
export interface Output {
  readonly path: string;
  readonly codec: CodecName;
}

/**
 * The codec comes from the extension or from `compress`, otherwise it is zstd; a name without its codec's extension is
 * completed. Two that contradict throw a UsageError: no file shall lie about what is in it.
 */
export function resolveOutput(path: string, compress: CodecName | undefined): Output {
  const [extension, named] = EXTENSIONS.find(([end]) => path.endsWith(end)) ?? [];
  if (extension === undefined || named === undefined) {
    const codec = compress ?? "zstd";
    return { path: path + codecs[codec].extension, codec };
  }
  if (compress === undefined || compress === named) return { path, codec: named };
  if (named === "none") {
    return { path: path.slice(0, -extension.length) + codecs[compress].extension, codec: compress };
  }
  throw new UsageError(`--output ${path} and --compress ${compress} contradict each other: leave one out`);
}

/** What the name of a recording ends with; `""` where it is not called like one. */
export const recordingExtension = (name: string): string => EXTENSIONS.find(([end]) => name.endsWith(end))?.[0] ?? "";

interface SplitName {
  readonly directory: string;
  readonly stem: string;
  readonly extension: string;
}

function split(path: string): SplitName {
  const name = basename(path);
  const extension = recordingExtension(name);
  return { directory: dirname(path), stem: name.slice(0, name.length - extension.length), extension };
}

/** The name of a recording's file as headers have it, and as it is read there. */
export const nameInHeader = (path: string): string => cleanText(basename(path));

/** A file that is called like a closed segment. Whose it is, its header says: a name says nothing. */
export interface Numbered {
  readonly number: number;
  readonly path: string;
}

/** `dgx-01.local.ndjson.zst` and 1 → `dgx-01.local.0001.ndjson.zst`. */
export function segmentPath(path: string, number: number): string {
  const { directory, stem, extension } = split(path);
  return join(directory, `${stem}.${String(number).padStart(4, "0")}${extension}`);
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** More digits are no number that can be counted on from. */
const NUMBER = "\\d{4,15}";
const IS_NUMBER = new RegExp(`^${NUMBER}$`);

/**
 * Those of the names in a recording's folder that are called like closed segments of it, in the order of their numbers.
 * The Rust tool puts the number before the first dot of the name, which is elsewhere only where the stem has one.
 */
export function numberedAmong(path: string, names: readonly string[]): Numbered[] {
  const { directory, stem, extension } = split(path);
  const [first = "", ...rest] = stem.split(".");
  const tail = rest.map((part) => `.${part}`).join("");
  const ours = new RegExp(`^${literal(stem)}\\.(${NUMBER})${literal(extension)}$`);
  const theirs = new RegExp(`^${literal(first)}\\.(${NUMBER})${literal(tail + extension)}$`);
  return names
    .flatMap((name) => {
      const number = (ours.exec(name) ?? theirs.exec(name))?.[1];
      return number === undefined ? [] : [{ number: Number(number), path: join(directory, name) }];
    })
    .sort((a, b) => a.number - b.number || (a.path < b.path ? -1 : 1));
}

/** The recordings of which a file is called like a closed segment, each with the number that it has there. */
export function ownersOf(path: string): Numbered[] {
  const { directory, stem, extension } = split(path);
  const parts = stem.split(".");
  const places = [...new Set([parts.length - 1, 1])].filter((at) => at > 0 && IS_NUMBER.test(parts[at] ?? ""));
  return places.map((at) => ({
    number: Number(parts[at]),
    path: join(directory, parts.toSpliced(at, 1).join(".") + extension),
  }));
}

/** The first number from `from` on that no name in a recording's folder has, whatever stands under it. */
export function freeNumber(path: string, from: number, names: readonly string[]): number {
  const taken = new Set(names);
  let number = from;
  while (taken.has(basename(segmentPath(path, number)))) number++;
  return number;
}
