import { hasTooManyContainers } from "./decode.ts";
import type { Frame } from "./frame.ts";
import { DEVICE_SECTIONS, hostIds } from "./hosts.ts";
import { withoutParts } from "./parts.ts";

/** What is left out of a frame whose line is too long, one after the other, each with the words for its `errors`. */
const STEPS: readonly (readonly [words: string, leaveOut: (frame: Frame) => Frame])[] = [
  ["processes", ({ processes: _, ...frame }) => frame],
  ["per-core values", (frame) => withoutParts(frame, ["cores"])],
  ["link counters", (frame) => withoutParts(frame, ["peers", "links"])],
];

/** Leaves out every host but the first `count`. */
function firstHosts(frame: Frame, hosts: readonly string[], count: number): Frame {
  const kept = new Set(hosts.slice(0, count));
  const fewer: Frame = { ...frame };
  for (const name of DEVICE_SECTIONS) {
    const devices = frame[name];
    if (devices !== undefined) fewer[name] = devices.filter(({ host_id }) => kept.has(host_id)) as never;
  }
  return fewer;
}

/** A frame as it stands on its line. */
export interface FittedFrame {
  readonly frame: Frame;
  readonly line: string;
}

/**
 * A frame whose line is of at most `maxBytes` and can be read back: where it is longer, or has more objects and lists
 * than a reader takes, processes go first, then per-core values, then link counters, then whole hosts, and `errors`
 * names what went.
 */
export function fitFrame(frame: Frame, maxBytes: number, encode: (frame: Frame) => string): FittedFrame {
  let fitted = { frame, line: encode(frame) };
  // A UTF-16 unit is three bytes of UTF-8 at most: short lines need no counting.
  const isShort = () => fitted.line.length * 3 <= maxBytes || Buffer.byteLength(fitted.line) <= maxBytes;
  const fits = () => isShort() && !hasTooManyContainers(fitted.line);
  let left = frame;
  const named: string[] = [];
  const say = (words: string): FittedFrame => {
    const without = { ...left, errors: [...left.errors, `recording: too long, without ${words}`] };
    return { frame: without, line: encode(without) };
  };
  for (const [words, leaveOut] of STEPS) {
    if (fits()) return fitted;
    left = leaveOut(left);
    named.push(words);
    fitted = say(named.join(", "));
  }
  const hosts = hostIds(left);
  for (let count = hosts.length >> 1; !fits(); count >>= 1) {
    left = firstHosts(left, hosts, count);
    fitted = say([...named, `${hosts.length - count} of ${hosts.length} hosts`].join(", "));
    if (count === 0) break;
  }
  return fitted;
}

/** The line of such a frame. */
export const fitLine = (frame: Frame, maxBytes: number, encode: (frame: Frame) => string): string =>
  fitFrame(frame, maxBytes, encode).line;
