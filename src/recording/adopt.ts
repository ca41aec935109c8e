import { decodeLine } from "../frame/decode.ts";
import type { FileBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import type { LastFrame } from "./repair.ts";
import { scanLines } from "./scan.ts";

/**
 * The last frame of a recording that is not continued in its own file: damaged, of another codec, or the Rust tool's,
 * whose frames have no `seq` and no `elapsed_ms` (then they are counted, and the positive steps of `t` added up).
 * `null` where there is no frame. Reads all of the file.
 */
export async function lastFrame(file: FileBytes, codec: Codec): Promise<LastFrame | null> {
  let last: LastFrame | null = null;
  for await (const scanned of scanLines(file, codec)) {
    if ("skipped" in scanned) continue;
    const line = decodeLine(Buffer.from(scanned.line).toString());
    if (line.kind !== "frame") continue;
    const { seq, t_ms, elapsed_ms } = line.frame;
    const before: LastFrame | null = last;
    last = { seq: seq ?? 0, t_ms, elapsed_ms: elapsed_ms ?? 0 };
    if (before !== null) last = follow(before, last, elapsed_ms === null);
  }
  return last;
}

function follow(before: LastFrame, { seq, t_ms, elapsed_ms }: LastFrame, isUntimed: boolean): LastFrame {
  const counted_ms = before.elapsed_ms + Math.max(0, t_ms - before.t_ms);
  return { seq: Math.max(seq, before.seq + 1), t_ms, elapsed_ms: isUntimed ? counted_ms : elapsed_ms };
}
