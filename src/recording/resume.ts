import { Detector, lookback_ms } from "../events/detector.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";
import { BlockCollector, hostIn, openAfterBlock } from "./block_summary.ts";
import type { FileBytes } from "./bytes.ts";
import { readIndexAt } from "./chain.ts";
import type { Codec } from "./codec.ts";
import { LARGEST_BLOCK_TEXT_BYTES, MAX_BLOCK_BYTES } from "./limits.ts";
import { judgedLines, LineJudge } from "./line_judge.ts";
import { decodeHeader, type IndexEntry, type IndexLine, type PartialHeader } from "./lines.ts";
import type { Repair, UnclosedText } from "./repair.ts";
import type { Unclosed } from "./segment_writer.ts";

/** Where the detection of events goes on. */
export interface EventState {
  /** The conditions that are on. */
  readonly open: readonly DetectedEvent[];
  /** Of the last frame, on the timeline. */
  readonly last_ms: number | null;
}

export const NO_EVENTS: EventState = { open: [], last_ms: null };

/** What a recorder needs to know of the file that it continues. */
export interface Resumed {
  readonly open: readonly DetectedEvent[];
  /** The block that still wants its index line. */
  readonly unclosed: Unclosed | null;
}

const HEADER_START = Buffer.from('{"schema":1,"header":true');
/** However small blocks are, not more of them are read again. */
const MAX_BLOCKS = 128;

/**
 * Finds out what was on when a file of ours ended: from the last index line, and the frames behind it. `before` is how
 * things stood before the file.
 */
export function resume(file: FileBytes, codec: Codec, { index, unclosed }: Repair, before: EventState): Resumed {
  // Behind a header line nothing is remembered.
  const mustRemember = unclosed !== null && !HEADER_START.equals(unclosed.text.subarray(0, HEADER_START.length));
  const detector =
    index === null ? new Detector({ interval_ms: null, ...before }) : detectorBehind(file, codec, index, mustRemember);
  if (unclosed === null) return { open: detector.open, unclosed: null };
  const collector = collect(detector, unclosed, index?.block.interval_ms ?? null);
  return { open: detector.open, unclosed: { start: unclosed.start, collector } };
}

function detectorBehind(file: FileBytes, codec: Codec, index: IndexLine, mustRemember: boolean): Detector {
  const { block } = index;
  const open = openAfterBlock(block);
  if (open !== null && !mustRemember) {
    return new Detector({ interval_ms: block.interval_ms, open, last_ms: block.elapsed_ms });
  }
  const known_ms = open === null ? block.first_elapsed_ms : block.elapsed_ms;
  const entries = blocksSince(file, codec, index, known_ms - lookback_ms(block.interval_ms));
  const detector = new Detector({ interval_ms: entries[0]?.block.interval_ms ?? null });
  for (const entry of entries.slice(0, -1)) feed(detector, textOf(file, codec, entry), anyLines());
  if (open === null) detector.open = block.open;
  feed(detector, textOf(file, codec, index), anyLines());
  if (open !== null) detector.open = open;
  return detector;
}

/** The blocks up to this one that have frames of that time on the timeline or later, oldest first. */
function blocksSince(file: FileBytes, codec: Codec, last: IndexLine, since_ms: number): IndexEntry[] {
  const entries: IndexEntry[] = [last];
  let index = last;
  while (index.block.first_elapsed_ms > since_ms && index.previous !== null && entries.length < MAX_BLOCKS) {
    const found = readIndexAt(file, codec, index.previous);
    if (found === null) break;
    index = found.index;
    entries.unshift(index);
  }
  return entries;
}

/** `""` of one that cannot be: what an index says is not trusted. */
const textOf = (file: FileBytes, codec: Codec, { byte_offset, at }: IndexEntry): Uint8Array =>
  codec.decodeUnit(file.read(byte_offset, Math.min(at - byte_offset, MAX_BLOCK_BYTES)), LARGEST_BLOCK_TEXT_BYTES).text;

const anyLines = (): LineJudge => new LineJudge(null, null, "nothing");

/** Shows the detector what is in a text, and gives each frame with what was found in it. */
function feed(
  detector: Detector,
  text: Uint8Array,
  judge: LineJudge,
  take: (frame: Frame, events: readonly DetectedEvent[]) => void = () => {},
  onHeader: (header: PartialHeader) => void = () => {},
): void {
  for (const line of judgedLines(text, judge)) {
    if (line.kind === "header") {
      const header = decodeHeader(line.value);
      detector.restart(header.interval_ms);
      onHeader(header);
    } else if (line.kind === "frame" && line.frame.seq !== null) {
      const { seq, elapsed_ms } = line.frame;
      take(line.frame, detector.add(line.frame, { seq, elapsed_ms: elapsed_ms ?? 0 }));
    }
  }
}

/** A block of which there is no summary yet; `interval_ms` is that of the block before it. */
function collect(detector: Detector, unclosed: UnclosedText, interval_ms: number | null): BlockCollector {
  const { open } = detector;
  const { text, before, recording } = unclosed;
  const judge = new LineJudge(before, recording, "nothing");
  let collector = new BlockCollector({ interval_ms, open });
  const headed = (header: PartialHeader) => {
    if (collector.frames > 0) return;
    collector = new BlockCollector({ interval_ms: header.interval_ms, open, ...hostIn(header) });
  };
  feed(detector, text, judge, (frame, events) => collector.add(frame, events, detector.refused), headed);
  return collector;
}
