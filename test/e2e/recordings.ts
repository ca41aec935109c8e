import { readFileSync, writeFileSync } from "node:fs";
import { FileBytes } from "../../src/recording/bytes.ts";
import { codecOf } from "../../src/recording/codec.ts";
import { scanLines } from "../../src/recording/scan.ts";

export const EXTENSIONS = [".ndjson", ".ndjson.gz", ".ndjson.zst"] as const;

/** A line of a recording, as far as these tests look at it. */
export interface Line {
  readonly schema: number;
  readonly header?: true;
  readonly index?: true;
  readonly t: string;
  readonly seq?: number;
  readonly elapsed_ms?: number;
  readonly errors?: readonly string[];
  readonly hostname?: string;
  readonly segment?: number;
  readonly recording?: string;
  readonly first_seq?: number;
  readonly hosts?: readonly string[];
  readonly byte_offset?: number;
  readonly at?: number;
  readonly previous?: number;
  readonly previous_summary?: number;
  readonly end?: true;
  readonly blocks?: readonly unknown[];
  readonly block?: { readonly first_seq: number; readonly frames: number; readonly errors: number };
}

type Decoder = readonly [program: string, ...options: string[]];

/** The program with which people read such a file; none for plain text, and where it is not installed. */
function decoderOf(path: string): Decoder | null {
  const program = path.endsWith(".zst") ? "zstd" : path.endsWith(".gz") ? "gzip" : null;
  return program !== null && Bun.which(program) !== null ? [program] : null;
}

for (const program of ["zstd", "gzip"]) {
  if (Bun.which(program) === null) console.warn(`${program} is not installed: files are read without it`);
}

/** What `zstd -dc`, `gzip -dc` or `cat` prints of a file, of one that is not finished, too. */
export async function printed(path: string): Promise<string> {
  const decoder = decoderOf(path);
  if (decoder !== null) return Bun.spawnSync([...decoder, "-dc", path], { stderr: "ignore" }).stdout.toString();
  if (path.endsWith(".ndjson")) return readFileSync(path, "utf8");
  return await scanned(path);
}

/** What our own scan finds in it. */
export async function scanned(path: string): Promise<string> {
  const file = FileBytes.open(path);
  try {
    let text = "";
    for await (const one of scanLines(file, codecOf(file.read(0, 64)))) {
      if ("line" in one) text += `${Buffer.from(one.line)}\n`;
    }
    return text;
  } finally {
    file.close();
  }
}

/** What is printed from a byte of the file on. */
export async function printedFrom(path: string, at: number): Promise<string> {
  const part = path.replace(/\.ndjson/, ".part.ndjson");
  writeFileSync(part, readFileSync(path).subarray(at));
  return await printed(part);
}

/** What `zstd -t` or `gzip -t` has against a file; nothing against plain text that ends in a whole line. */
export function complaint(path: string): string {
  const decoder = decoderOf(path);
  if (decoder === null) return !path.endsWith(".ndjson") || readFileSync(path).at(-1) === 10 ? "" : "no whole line";
  const { exitCode, stderr } = Bun.spawnSync([...decoder, "-t", path]);
  return exitCode === 0 ? "" : `${stderr}`;
}

/** The lines of text that is read while it is being written: what follows the last newline is none. */
export function linesOf(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole.split("\n").slice(0, -1).map(parseLine);
}

function parseLine(text: string): Line {
  const line = JSON.parse(text) as Line;
  if (line.schema !== 1 || !text.startsWith('{"schema":1,')) throw new Error(`no line of schema 1: ${text}`);
  return line;
}

export const isFrame = (line: Line): boolean => line.header !== true && line.index !== true;

export const framesOf = (lines: readonly Line[]): Line[] => lines.filter(isFrame);

export const readLines = async (path: string): Promise<Line[]> => linesOf(await printed(path));

export const readFrames = async (path: string): Promise<Line[]> => framesOf(await readLines(path));

export const seqsOf = (lines: readonly Line[]): (number | undefined)[] => framesOf(lines).map(({ seq }) => seq);

/** `0, 1, 2, …` */
export const counted = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
