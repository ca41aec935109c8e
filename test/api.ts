import { type App, type AppOptions, createApp } from "../src/api/app.ts";
import { Feed } from "../src/api/feed.ts";
import type { Clock } from "../src/clock.ts";
import type { Frame } from "../src/frame/frame.ts";
import { linuxFrame } from "./frames.ts";

/** A clock that a test sets; nobody waits for it. */
export class SetClock implements Clock {
  now_ms = 0;
  wall = () => START_MS + this.now_ms;
  monotonic = () => this.now_ms;
  boottime = () => this.now_ms;
  until = () => Promise.reject(new Error("nobody waits here"));
}

export const START_MS = Date.UTC(2026, 3, 18, 12);
export const INTERVAL_MS = 3000;
export const HOSTNAME = "dgx-01";
export const build = { version: "1.2.3", os: "linux", arch: "x86_64" };

export const health = {
  duration_ms: 12.5,
  sources: [
    { name: "cpu", duration_ms: 3.25, isComplete: true },
    { name: "storage", duration_ms: 2400, isComplete: false },
  ],
};

/** The n-th frame of a machine. */
export const frameNumber = (n: number): Frame => ({
  ...linuxFrame,
  t_ms: START_MS + n * INTERVAL_MS,
  seq: n,
  elapsed_ms: n * INTERVAL_MS,
  source: "local",
  hostname: HOSTNAME,
});

export interface Api {
  readonly app: App;
  readonly feed: Feed;
  readonly clock: SetClock;
  readonly told: string[];
  /** Lets so many cycles pass. */
  cycle(count?: number): void;
}

/** The interface without a server, fed by hand. */
export function openApi({ heldBytes, ...options }: Partial<AppOptions> & { heldBytes?: number } = {}): Api {
  const clock = new SetClock();
  const feed = new Feed({ interval_ms: INTERVAL_MS, clock, ...(heldBytes ? { heldBytes } : {}) });
  const told: string[] = [];
  const app = createApp({ feed, hostname: HOSTNAME, build, token: null, tell: (text) => told.push(text), ...options });
  let cycles = 0;
  const cycle = (count = 1) => {
    for (let n = 0; n < count; n++) {
      clock.now_ms = cycles * INTERVAL_MS;
      feed.take(frameNumber(cycles++), health);
    }
  };
  return { app, feed, clock, told, cycle };
}
