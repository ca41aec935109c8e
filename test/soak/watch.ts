import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What a process held at a moment. */
export interface Held {
  readonly residentMiB: number;
  readonly descriptors: number;
  /** Of them, those of files of the recording. */
  readonly segments: number;
  /** Open files that have no name any more. */
  readonly deleted: readonly string[];
}

const isSegment = (target: string): boolean => target.includes("/rec.");

export function heldBy(pid: number): Held {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  const targets = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return [];
    }
  });
  return {
    residentMiB: Number(resident) / 1024,
    descriptors: targets.length,
    segments: targets.filter(isSegment).length,
    deleted: targets.filter((target) => isSegment(target) && target.endsWith(" (deleted)")),
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The medians of the first and of the last third. */
export function thirds(samples: readonly Held[], of: (held: Held) => number): readonly [first: number, last: number] {
  const third = Math.floor(samples.length / 3);
  return [median(samples.slice(0, third).map(of)), median(samples.slice(-third).map(of))];
}

/** The median of each tenth: whether it grows for ever, or as programs do until they have compiled what they run. */
export function tenths(samples: readonly Held[], of: (held: Held) => number): readonly number[] {
  const size = Math.max(1, Math.floor(samples.length / 10));
  return Array.from({ length: 10 }, (_, tenth) => median(samples.slice(tenth * size, (tenth + 1) * size).map(of)));
}
