import { decodeLine } from "../frame/decode.ts";
import type { Frame } from "../frame/frame.ts";
import { FileBytes } from "./bytes.ts";
import { codecOf } from "./codec.ts";
import type { LastFrame } from "./repair.ts";
import { scanLines } from "./scan.ts";

/**
 * The last frame of a recording whose newest file is not continued: damaged, of another codec, or the Rust tool's,
 * whose frames have no `seq` and no `elapsed_ms`. Those are counted from the oldest of the files on, and the positive
 * steps of `t` added up. `null` where there is no frame.
 */
export async function lastFrame(files: readonly string[]): Promise<LastFrame | null> {
  const newest = await countOn(files.slice(-1), null);
  return newest?.isNumbered ? newest : await countOn(files, null);
}

interface Counted extends LastFrame {
  readonly isNumbered: boolean;
}

async function countOn(files: readonly string[], before: Counted | null): Promise<Counted | null> {
  let last = before;
  for (const path of files) {
    for await (const frame of framesOf(path)) last = follow(last, frame);
  }
  return last;
}

async function* framesOf(path: string): AsyncGenerator<Frame> {
  const file = FileBytes.open(path);
  try {
    for await (const scanned of scanLines(file, codecOf(file.read(0, 64)))) {
      if ("skipped" in scanned) continue;
      const line = decodeLine(Buffer.from(scanned.line).toString());
      if (line.kind === "frame") yield line.frame;
    }
  } finally {
    file.close();
  }
}

function follow(before: Counted | null, { seq, t_ms, elapsed_ms }: Frame): Counted {
  const isNumbered = seq !== null;
  if (before === null) return { seq: seq ?? 0, t_ms, elapsed_ms: elapsed_ms ?? 0, isNumbered };
  const counted_ms = before.elapsed_ms + Math.max(0, t_ms - before.t_ms);
  return { seq: Math.max(seq ?? 0, before.seq + 1), t_ms, elapsed_ms: elapsed_ms ?? counted_ms, isNumbered };
}
