import type { Cursor } from "../recording/cursor.ts";
import { Cells } from "./cells.ts";
import { INITIAL_CHOICES } from "./choices.ts";
import { draw } from "./draw.ts";
import type { Choices, Status } from "./model.ts";
import { lastingNote, type Subject, viewInput } from "./screen.ts";
import { seekMeant } from "./seek_meant.ts";
import type { Theme } from "./theme.ts";
import { placeOf, type Target } from "./timecode.ts";

export interface OnceOptions extends Subject {
  /** `null`: the first frame, live the last. */
  readonly start: Target | null;
  readonly speed: number;
  readonly isLoop: boolean;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  /** What somebody at the keyboard had chosen. */
  readonly choices?: Choices;
}

/**
 * What is filled in behind (events and envelope of a recording without an index, histories) may take so long, all of it
 * together. What is not there by then is drawn as not known yet.
 */
const PATIENCE_MS = 1000;

/** By itself the runtime lets 50 MB of decoded frames come together before it collects them. Nobody waits for a key here. */
const COLLECT_EVERY_MS = 100;

/** One screen of a recording, or of a machine, complete with what is filled in behind in the interactive view. */
export async function drawOnce(options: OnceOptions): Promise<Cells> {
  const { cursor, width, height, theme, choices = INITIAL_CHOICES } = options;
  await isScanned(cursor);
  const collecting = setInterval(() => Bun.gc(true), COLLECT_EVERY_MS);
  try {
    await complete(options);
  } finally {
    clearInterval(collecting);
  }
  const cells = new Cells(width, height);
  draw(cells, viewInput(options, choices, statusOf(options)), theme);
  return cells;
}

const isScanned = (cursor: Cursor) => until(cursor, () => cursor.range.scanned >= 1, Number.POSITIVE_INFINITY);

/** Goes to the frame that is wanted, and waits for what is filled in behind. */
async function complete({ cursor, start, isLive, width }: OnceOptions): Promise<void> {
  const go = async (): Promise<void> => {
    await isScanned(cursor);
    await (isLive ? cursor.last() : start === null ? cursor.first() : goTo(cursor, start));
  };
  // As long as the screen is wide: what FrameScene has of it.
  const hasHistory = () => cursor.range.scanned >= 1 && cursor.history(width).isComplete;
  await go();
  const begin_ms = performance.now();
  await until(cursor, () => hasHistory() && cursor.analysed >= 1, PATIENCE_MS);
  // What was read meanwhile may have turned out to be no frame: then the frames have other numbers.
  await go();
  await until(cursor, hasHistory, Math.max(0, PATIENCE_MS - (performance.now() - begin_ms)));
}

const goTo = (cursor: Cursor, target: Target) =>
  target.kind === "wall" ? cursor.seekWall(target.t_ms) : seekMeant(cursor, placeOf(target, cursor.range));

function statusOf({ cursor, isLive, speed, isLoop }: OnceOptions): Status {
  const common = { note: lastingNote(cursor), progress: null };
  if (isLive) return { kind: "live", isFrozen: false, ...common };
  const isAtEnd = (cursor.current?.place_ms ?? 0) >= cursor.range.last_place_ms;
  return { kind: "replay", state: isAtEnd ? "end" : "paused", speed, isLoop, ...common };
}

/** Asks again with every change of the cursor. */
async function until(cursor: Cursor, isSo: () => boolean, patience_ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopListening = cursor.onChange(() => {
    if (isSo()) resolve();
  });
  const timer = patience_ms < Number.POSITIVE_INFINITY ? setTimeout(resolve, patience_ms) : undefined;
  if (isSo()) resolve();
  await promise;
  clearTimeout(timer);
  stopListening();
}
