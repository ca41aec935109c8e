import { isZone, ownZone } from "../clock/zone.ts";
import { UsageError } from "../errors.ts";
import { openReplay } from "../recording/replay.ts";
import { parseTimecode, type Target, TimecodeError } from "../view/timecode.ts";
import type { ReplayOptions } from "./view.ts";
import { checkTerminal, showView } from "./view_screen.ts";
import { useMachineZone } from "./zones.ts";

/** `view --replay PATH`. Nothing but the recording is read. */
export async function viewReplay(options: ReplayOptions): Promise<void> {
  // What is wrong with the recording is said first: a terminal would not help.
  const { cursor, header } = await openReplay(options.replay, !options.once);
  try {
    checkTerminal(options);
  } catch (error) {
    cursor.close();
    throw error;
  }
  const warning = useMachineZone();
  const recorder = header()?.timezone ?? null;
  await showView(options, {
    cursor,
    isLive: false,
    interval_ms: header()?.interval_ms ?? null,
    zones: { viewer: ownZone(), recorder: recorder !== null && isZone(recorder) ? recorder : null },
    speed: options.speed,
    isLoop: options.loop ?? false,
    isPaused: options.paused ?? false,
    start: options.start === undefined ? null : startTarget(options.start, cursor.range.first_t_ms),
    warning,
  });
}

/** A time of day is one of the first frame's day. */
function startTarget(text: string, t_ms: number): Target {
  try {
    return parseTimecode(text, { t_ms, zone: ownZone() });
  } catch (error) {
    if (!(error instanceof TimecodeError)) throw error;
    throw new UsageError(`--start ${text}: ${error.message}`);
  }
}
