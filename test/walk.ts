import { expect } from "bun:test";
import fc from "fast-check";
import type { BlockCursor } from "../src/recording/block_cursor.ts";
import type { Position } from "../src/recording/cursor.ts";
import type { NaiveFrame } from "./naive_list.ts";

/** Random walks over a cursor, and where they must arrive. */

export type Move =
  | { readonly kind: "next" | "previous" | "first" | "last" }
  | { readonly kind: "seek" | "seekWall" | "seekTo"; readonly to: number };

/** Where to, as a share of what there is, and beyond both ends. */
const share = fc.double({ min: -0.1, max: 1.1, noNaN: true });

export type MoveRecipe =
  | { readonly kind: "next" | "previous" | "first" | "last" }
  | { readonly kind: "seek" | "seekWall" | "seekTo"; readonly share: number; readonly isExact: boolean };

const moveArbitrary: fc.Arbitrary<MoveRecipe> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("next" as const, "previous" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("first" as const, "last" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("seek" as const, "seekWall" as const, "seekTo" as const),
      share,
      isExact: fc.boolean(),
    }),
  },
);

export const movesArbitrary = fc.array(moveArbitrary, { minLength: 1, maxLength: 40, size: "max" });

const wantedOf = (kind: "seek" | "seekWall" | "seekTo", { place_ms, frame, seq }: NaiveFrame): number =>
  kind === "seek" ? place_ms : kind === "seekWall" ? frame.t_ms : seq;

/** A move to a frame that is there, or to somewhere between what is there. */
export function moveOf(recipe: MoveRecipe, frames: readonly NaiveFrame[]): Move {
  if (!("share" in recipe)) return recipe;
  const { kind, share, isExact } = recipe;
  const values = frames.map((one) => wantedOf(kind, one));
  const exact = values[Math.floor(share * values.length)];
  if (isExact && exact !== undefined) return { kind, to: exact };
  const lowest = values.reduce((a, b) => Math.min(a, b), 0);
  const highest = values.reduce((a, b) => Math.max(a, b), 0);
  return { kind, to: Math.round(lowest + (highest - lowest) * share) };
}

/** The number of the frame at which a move from that one arrives; `null` where it goes nowhere. */
export function naiveMove(frames: readonly NaiveFrame[], from: number | null, move: Move): number | null {
  const last = frames.length - 1;
  const firstOrLast = (isIt: (one: NaiveFrame) => boolean): number => {
    const found = frames.findIndex(isIt);
    return found < 0 ? last : found;
  };
  if (last < 0) return null;
  switch (move.kind) {
    case "next":
      return from === null ? 0 : from < last ? from + 1 : null;
    case "previous":
      return from === null ? 0 : from > 0 ? from - 1 : null;
    case "first":
      return 0;
    case "last":
      return last;
    case "seek":
      return Math.max(
        0,
        frames.findLastIndex(({ place_ms }) => place_ms <= move.to),
      );
    case "seekWall":
      return firstOrLast(({ frame }) => frame.t_ms >= move.to);
    case "seekTo":
      return firstOrLast(({ seq }) => seq >= move.to);
  }
}

export function go(cursor: BlockCursor, move: Move): Promise<Position | null> {
  switch (move.kind) {
    case "seek":
    case "seekWall":
    case "seekTo":
      return cursor[move.kind](move.to);
    default:
      return cursor[move.kind]();
  }
}

/** Moves, and compares where it arrives and what is said there with the list; counts what is decoded. */
export async function walk(
  cursor: BlockCursor,
  frames: readonly NaiveFrame[],
  recipes: readonly MoveRecipe[],
  index: "true" | "lies" = "true",
): Promise<void> {
  let at = cursor.current?.ordinal ?? null;
  for (const [n, recipe] of recipes.entries()) {
    const move = moveOf(recipe, frames);
    const decodes = cursor.decodes;
    const found = await go(cursor, move);
    const ordinal = naiveMove(frames, at, move);
    const one = frames[ordinal ?? -1];
    const wanted = one === undefined ? null : { frame: one.frame, ordinal, place_ms: one.place_ms };
    expect({ n, move, found }).toEqual({ n, move, found: wanted } as never);
    at = ordinal ?? at;
    expect(cursor.current?.ordinal ?? null).toBe(at);
    if (index === "lies") continue;
    const next = cursor.nextPlace_ms;
    // It may not have been found yet.
    const isKnown = next !== null || cursor.range.scanned === 1;
    if (isKnown) expect({ n, move, next }).toEqual({ n, move, next: frames[(at ?? -1) + 1]?.place_ms ?? null });
    expect(cursor.decodes - decodes).toBeLessThanOrEqual(1);
  }
}
