import { ownZone } from "../clock/zone.ts";
import { machineClock } from "../clock.ts";
import type { Frame } from "../frame/frame.ts";
import { BlockCursor } from "../recording/block_cursor.ts";
import { RingStore } from "../recording/ring_store.ts";
import { Sampler } from "../sampler.ts";
import { openSources } from "./sources.ts";
import type { LiveOptions } from "./view.ts";
import { checkTerminal, showView } from "./view_screen.ts";

/** `view` of this machine: what the sampler reads goes into a ring, over which the view has a cursor. */
export async function viewLive(options: LiveOptions): Promise<void> {
  checkTerminal(options);
  const { sources, kind, hostname, nameNow, warning } = await openSources(options);
  const sampler = new Sampler({
    sources,
    include: options.include,
    hostname,
    ...(nameNow && { nameNow }),
    source: kind,
    interval_ms: options.interval,
    duration_ms: 0,
    clock: machineClock,
  });
  const ring = new RingStore();
  const stop = new AbortController();
  const first = Promise.withResolvers<void>();
  const take = (frame: Frame) => {
    ring.push(frame);
    first.resolve();
  };
  // What it fails of, if it does, is a crash: whoever has the terminal catches those.
  const sampling = sampler.run(stop.signal, take);
  try {
    if (options.once) await Promise.race([first.promise, sampling]);
    await show(options, new BlockCursor(ring, () => options.interval), warning);
  } finally {
    stop.abort();
    sampler.close();
  }
}

const show = (options: LiveOptions, cursor: BlockCursor, warning: string | null): Promise<void> =>
  showView(options, {
    cursor,
    isLive: true,
    interval_ms: options.interval,
    zones: { viewer: ownZone(), recorder: null },
    speed: 1,
    isLoop: false,
    isPaused: false,
    start: null,
    warning,
  });
