import { Detector } from "../events/detector.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { Line } from "../frame/decode.ts";
import type { Frame } from "../frame/frame.ts";
import { FileBytes } from "./bytes.ts";
import { codecOf } from "./codec.ts";
import { BLOCK_FRAMES } from "./limits.ts";
import { LineJudge } from "./line_judge.ts";
import { decodeHeader, decodeIndex, type IndexLine } from "./lines.ts";
import type { LastFrame } from "./repair.ts";
import { type EventState, NO_EVENTS } from "./resume.ts";
import { scanLines } from "./scan.ts";

/** How a recording ended that was read to its end. */
export interface Ending {
  readonly last: LastFrame;
  /** The conditions that were on. */
  readonly open: readonly DetectedEvent[];
}

/**
 * The end of a recording whose newest file is not continued: damaged, of another codec, or the Rust tool's, whose
 * frames have no `seq` and no `elapsed_ms`. Those are counted from the oldest of the files on, and the positive steps
 * of `t` added up. `null` where there is no frame. `before` is how things stood before the newest file.
 */
export async function endingOf(files: readonly string[], before: EventState): Promise<Ending | null> {
  const newest = await countOn(files.slice(-1), before);
  return newest?.last.isNumbered ? newest : await countOn(files, NO_EVENTS);
}

interface Counted extends LastFrame {
  readonly isNumbered: boolean;
}

async function countOn(files: readonly string[], before: EventState): Promise<(Ending & { last: Counted }) | null> {
  const detector = new Detector({ interval_ms: null, ...before });
  const judge = new LineJudge(null, null, "nothing");
  let last: Counted | null = null;
  let unreadable = 0;
  for (const path of files) {
    for await (const line of linesOf(path, judge)) {
      if (typeof line === "number") {
        unreadable += line;
        continue;
      }
      if (line.kind === "header") detector.restart(decodeHeader(line.value).interval_ms);
      if (line.kind === "index") {
        last = last && withLost(last, decodeIndex(line.value), unreadable);
        unreadable = 0;
      }
      if (line.kind !== "frame") continue;
      last = follow(last, line.frame);
      detector.add(line.frame, last);
    }
  }
  return last && { last, open: detector.open };
}

/** Frames of the block that cannot be read any more have had their `seq`. What an index line says beyond that is not true. */
function withLost(last: Counted, index: IndexLine | null, unreadable: number): Counted {
  const lost = (index?.seq ?? 0) - last.seq;
  return lost > 0 && lost <= unreadable ? { ...last, seq: last.seq + lost } : last;
}

/** The lines of a file that count; between them numbers of lines at most that cannot be read. */
async function* linesOf(path: string, judge: LineJudge): AsyncGenerator<Line | number> {
  const file = FileBytes.open(path);
  try {
    for await (const scanned of scanLines(file, codecOf(file.read(0, 64)))) {
      if ("skipped" in scanned) {
        yield BLOCK_FRAMES;
        continue;
      }
      const { buffer, byteOffset, length } = scanned.line;
      const verdict = judge.judge(Buffer.from(buffer, byteOffset, length), 0, length);
      if (verdict === "bad") yield 1;
      else if (verdict !== "copy" && judge.line !== null) yield judge.line;
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
