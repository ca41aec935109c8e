import { expect } from "bun:test";
import { isFrame, type Line, linesOf, printedFrom } from "./recordings.ts";

/** Every index line of a file is where it says it is, and its block begins where it says. Gives their number. */
export async function checkIndex(path: string, lines: readonly Line[]): Promise<number> {
  const indexes = lines.filter((line) => line.index);
  let previous: number | undefined;
  for (const index of indexes) {
    expect(linesOf(await printedFrom(path, index.at ?? -1))[0]).toEqual(index);
    const block = linesOf(await printedFrom(path, index.byte_offset ?? -1));
    const end = block.findIndex((line) => line.index);
    expect(block[end]).toEqual(index);
    const frames = block.slice(0, end).filter(isFrame);
    expect(index.block).toMatchObject({ first_seq: frames[0]?.seq, frames: frames.length });
    expect(index.seq).toBe(frames.at(-1)?.seq);
    expect(index.previous).toBe(previous as number);
    previous = index.at;
  }
  return indexes.length;
}
