/** Columns that share a width: the more important stay when it shrinks, and those that can use more room grow. */

export interface Column {
  /** The lowest stays longest. */
  readonly priority: number;
  readonly minimum: number;
  /** Its share of the room that is left, up to the maximum; 0: it does not grow. */
  readonly weight?: number;
  readonly maximum?: number;
  /** From so wide a table on; below, the others have better use for the room. */
  readonly from?: number;
  /** Blank columns before it, unless it is the first. */
  readonly gap?: number;
}

export interface Placed<C extends Column> {
  readonly column: C;
  readonly x: number;
  readonly width: number;
}

const USUAL_GAP = 2;
const gapOf = ({ gap = USUAL_GAP }: Column): number => gap;

/** By priority, up to the first that has no room: so a wider screen shows all that a narrower one does. */
function chosen<C extends Column>(columns: readonly C[], width: number): C[] {
  const kept = new Set<C>();
  let used = 0;
  const candidates = columns.filter(({ from = 0 }) => width >= from);
  for (const column of candidates.sort((a, b) => a.priority - b.priority)) {
    const more = column.minimum + (kept.size > 0 ? gapOf(column) : 0);
    if (used + more > width) break;
    kept.add(column);
    used += more;
  }
  return columns.filter((column) => kept.has(column));
}

/** Deals out the room that is left, a column at a time, to whoever has least of what it may have. */
function grow(columns: readonly Column[], widths: number[], room: number): void {
  for (let left = room; left > 0; left--) {
    let neediest = -1;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [i, { weight = 0, minimum, maximum = Number.POSITIVE_INFINITY }] of columns.entries()) {
      const width = widths[i] ?? minimum;
      const filling = (width - minimum) / weight;
      if (weight === 0 || width >= maximum || filling >= lowest) continue;
      neediest = i;
      lowest = filling;
    }
    if (neediest < 0) return;
    widths[neediest] = (widths[neediest] ?? 0) + 1;
  }
}

/** The columns that fit into `width` from `x` on, in their order, with their places. */
export function fitColumns<C extends Column>(columns: readonly C[], x: number, width: number): Placed<C>[] {
  const kept = chosen(columns, width);
  const gaps = kept.map((column, i) => (i === 0 ? 0 : gapOf(column)));
  const widths = kept.map(({ minimum }) => minimum);
  const used = widths.reduce((sum, w) => sum + w, 0) + gaps.reduce((sum, gap) => sum + gap, 0);
  grow(kept, widths, width - used);
  const placed: Placed<C>[] = [];
  let next = x;
  for (const [i, column] of kept.entries()) {
    const columnWidth = widths[i] ?? column.minimum;
    placed.push({ column, x: next + (gaps[i] ?? 0), width: columnWidth });
    next += (gaps[i] ?? 0) + columnWidth;
  }
  return placed;
}
