import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.ts";
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

interface SplitName {
  readonly directory: string;
  readonly stem: string;
  readonly extension: string;
}

function split(path: string): SplitName {
  const name = basename(path);
  const extension = EXTENSIONS.find(([end]) => name.endsWith(end))?.[0] ?? "";
  return { directory: dirname(path), stem: name.slice(0, name.length - extension.length), extension };
}

/** A closed segment of a recording. */
export interface Segment {
  readonly number: number;
  readonly path: string;
}

/** `dgx-01.local.ndjson.zst` and 1 → `dgx-01.local.0001.ndjson.zst`. */
export function segmentPath(path: string, number: number): string {
  const { directory, stem, extension } = split(path);
  return join(directory, `${stem}.${String(number).padStart(4, "0")}${extension}`);
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

interface Numbered extends Segment {
  readonly isFile: boolean;
}

/** The Rust tool puts the number before the first dot of the name, which is elsewhere only where the stem has one. */
function listNumbered(path: string): Numbered[] {
  const { directory, stem, extension } = split(path);
  const [first = "", ...rest] = stem.split(".");
  const tail = rest.map((part) => `.${part}`).join("");
  const ours = new RegExp(`^${literal(stem)}\\.(\\d{4,})${literal(extension)}$`);
  const theirs = new RegExp(`^${literal(first)}\\.(\\d{4,})${literal(tail + extension)}$`);
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const number = (ours.exec(entry.name) ?? theirs.exec(entry.name))?.[1];
      if (number === undefined) return [];
      return [{ number: Number(number), path: join(directory, entry.name), isFile: entry.isFile() }];
    })
    .sort((a, b) => a.number - b.number);
}

/** The closed segments of the recording at `path`, oldest first. */
export const listSegments = (path: string): Segment[] => listNumbered(path).filter(({ isFile }) => isFile);

/** The number for the next closed segment: nothing stands under its name, nor under a higher one. */
export const nextNumber = (path: string): number => (listNumbered(path).at(-1)?.number ?? 0) + 1;
