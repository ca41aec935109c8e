import type { SegmentReader } from "./segment_reader.ts";

/** What was skipped in the files of a recording, by reason: each may be looked at again, or go. */
export class SkippedLines {
  readonly #counts = new Map<SegmentReader, Map<string, number>>();

  /** Of all files. */
  get total(): ReadonlyMap<string, number> {
    const total = new Map<string, number>();
    for (const counts of this.#counts.values()) {
      for (const [reason, count] of counts) total.set(reason, (total.get(reason) ?? 0) + count);
    }
    return total;
  }

  /** A file is looked at from its beginning. */
  begin(segment: SegmentReader): void {
    this.#counts.set(segment, new Map());
  }

  count(segment: SegmentReader, reason: string): void {
    const counts = this.#counts.get(segment);
    counts?.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** Whether nothing was skipped in a file. */
  isNone(segment: SegmentReader): boolean {
    return this.#counts.get(segment)?.size === 0;
  }

  forget(segment: SegmentReader): void {
    this.#counts.delete(segment);
  }
}
