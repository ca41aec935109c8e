import { FileBytes } from "../../src/recording/bytes.ts";
import { codecOf } from "../../src/recording/codec.ts";
import { scanLines } from "../../src/recording/scan.ts";

/** What the segments of a recording hold, in their order. */
export interface Counted {
  readonly frames: number;
  /** As later frames say. */
  readonly refused: number;
  /** Places of the grid that have neither a frame nor a word of why. */
  readonly missing: number;
  /** Frames whose number is not the next. */
  readonly jumps: number;
}

interface Line {
  readonly t: string;
  readonly seq: number;
  readonly header?: true;
  readonly index?: true;
  readonly errors?: readonly string[];
}

/** `interval_ms`: of the grid on which the frames should be. */
export async function countFrames(paths: readonly string[], interval_ms: number): Promise<Counted> {
  const found = { frames: 0, refused: 0, missing: 0, jumps: 0 };
  let last: Line | null = null;
  for (const path of paths) {
    for await (const frame of framesIn(path)) {
      const refused = refusedBefore(frame);
      found.frames++;
      found.refused += refused;
      if (last !== null) {
        if (frame.seq !== last.seq + 1) found.jumps++;
        const places = Math.round((Date.parse(frame.t) - Date.parse(last.t)) / interval_ms);
        found.missing += Math.max(0, places - 1 - refused);
      }
      last = frame;
    }
  }
  return found;
}

async function* framesIn(path: string): AsyncGenerator<Line> {
  const file = FileBytes.open(path);
  try {
    for await (const one of scanLines(file, codecOf(file.read(0, 64)))) {
      if (!("line" in one)) throw new Error(`${path}: ${one.skipped}`);
      const line: Line = JSON.parse(Buffer.from(one.line).toString());
      if (!line.header && !line.index) yield line;
    }
  } finally {
    file.close();
  }
}

const refusedBefore = ({ errors = [] }: Line): number =>
  errors.reduce((sum, error) => sum + Number(/^recording: (\d+) frames (?:missing|dropped),/.exec(error)?.[1] ?? 0), 0);
