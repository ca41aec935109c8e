import { ownClock } from "./clock/zone.ts";
import { boottime_ms } from "./libc.ts";

/** The clocks a recording is timed by. All in ms. */
export interface Clock {
  /** Wall clock, since the epoch; may be stepped. */
  wall(): number;
  /** Never stepped, stands still while the machine is suspended. */
  monotonic(): number;
  /** Never stepped, counts the time the machine was suspended. */
  boottime(): number;
  /** Resolves at that time of the monotonic clock, or when the signal is aborted. */
  until(monotonic_ms: number, signal: AbortSignal): Promise<void>;
}

const monotonic = (): number => performance.now();

function until(monotonic_ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    resolve();
  };
  const wait = () => {
    const left_ms = monotonic_ms - monotonic();
    if (left_ms <= 0 || signal.aborted) return done();
    // A timer holds 2^31 ms at most, and may fire a little early.
    timer = setTimeout(wait, Math.min(Math.ceil(left_ms), 2 ** 31 - 1));
  };
  signal.addEventListener("abort", done);
  wait();
  return promise;
}

export const machineClock: Clock = {
  wall: () => Date.now(),
  monotonic,
  boottime: () => boottime_ms() ?? monotonic(),
  until,
};

const two = (n: number): string => String(n).padStart(2, "0");

/** `YYYY-MM-DD HH:MM:SS` in the machine's zone: the `time` of a device. */
export function localTime(t_ms: number): string {
  const own = ownClock(t_ms);
  if (own !== null) return own.toISOString().slice(0, 19).replace("T", " ");
  const d = new Date(t_ms);
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
