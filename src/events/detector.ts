import type { Frame } from "../frame/frame.ts";
import { Conditions } from "./conditions.ts";
import { definitions } from "./definitions.ts";
import type { DetectedEvent } from "./event.ts";
import { eventName } from "./event_text.ts";
import { gapText } from "./gap.ts";
import { GpuWatch } from "./gpu_watch.ts";
import { Look, type Place, subject } from "./look.ts";
import { Pace } from "./pace.ts";
import { Presence } from "./presence.ts";
import { ReaderWatch } from "./readers.ts";

export type { Place } from "./look.ts";
export { lookback_ms } from "./pace.ts";

export interface DetectorOptions {
  /** From one frame to the next, as a header says; `null` where nothing does. */
  readonly interval_ms: number | null;
  /** The conditions that are on before the first frame. */
  readonly open?: readonly DetectedEvent[];
  /** On the timeline: the frame before the first. */
  readonly last_ms?: number | null;
}

/**
 * Finds what happens in a row of frames. What it remembers of them is of the last {@link lookback_ms} only, but for the
 * conditions that are on: given those, it can begin anywhere.
 */
export class Detector {
  readonly #pace: Pace;
  #conditions: Conditions;
  #gpus = new GpuWatch();
  #readers = new ReaderWatch();
  #presence = new Presence();
  /** Of the first frame of this stretch. */
  #since_ms: number | null = null;
  #refused: readonly string[] = [];

  constructor({ interval_ms, open = [], last_ms = null }: DetectorOptions) {
    this.#pace = new Pace(interval_ms, last_ms);
    this.#conditions = new Conditions(open);
  }

  /** The conditions that are on, as the events of their beginnings. */
  get open(): DetectedEvent[] {
    return this.#conditions.list();
  }

  /** Sets the conditions that are on, after the frames before were only seen to remember them. */
  set open(open: readonly DetectedEvent[]) {
    this.#conditions = new Conditions(open);
  }

  /** The kinds of the conditions that would have begun at the last frame, had there been room. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** A header line: another recorder, or another segment. What was on is on, the rest is forgotten. */
  restart(interval_ms: number | null): void {
    this.#pace.interval_ms = interval_ms;
    this.#gpus = new GpuWatch();
    this.#readers = new ReaderWatch();
    this.#presence = new Presence();
    this.#since_ms = null;
  }

  /** The transitions at the next frame. */
  add(frame: Frame, place: Place): DetectedEvent[] {
    const place_ms = place.elapsed_ms;
    this.#since_ms ??= place_ms;
    const gap_ms = this.#pace.step(place_ms);
    const { link_ms, lookback_ms } = this.#pace;
    const now = { place_ms, link_ms, lookback_ms, since_ms: this.#since_ms };
    const look = new Look(frame, place, now, this.#conditions, this.#presence);
    if (gap_ms !== null) {
      look.single("gap", subject(frame.hostname, null), gapText(gap_ms));
    }
    this.#readers.look(look);
    lookAtScrapes(look);
    this.#gpus.look(look);
    this.#takeHeard(look);
    this.#refused = look.refused;
    return look.found;
  }

  /** What the sources themselves heard of, under the names that are used here. */
  #takeHeard(look: Look): void {
    for (const { kind, severity, host, device, text } of look.frame.events ?? []) {
      const name = device === null ? null : (this.#gpus.nameOf(host, device, look) ?? device);
      const about = subject(host, name);
      look.found.push(look.event(eventName(kind), severity, "once", about.host, about.device, text));
    }
  }
}

function lookAtScrapes(look: Look): void {
  const { sentence } = definitions.host_lost;
  for (const { host, up, error } of look.frame.scrapes ?? []) {
    const words = () => (error === null ? sentence : `${sentence}: ${error}`);
    look.judge("host_lost", subject(host, null), up ? "off" : "on", undefined, words);
  }
}
