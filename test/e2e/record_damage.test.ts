import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { bareFrame, recordFrames } from "./in_process.ts";
import { counted, EXTENSIONS, linesOf, scanned, seqsOf } from "./recordings.ts";
import { testFolder } from "./run.ts";

const root = testFolder();
const folder = join(root, "recording");
beforeEach(() => mkdirSync(folder));
afterEach(() => rmSync(folder, { recursive: true }));

const frames = (count: number, from: number) => counted(count, from).map((n) => bareFrame(n, `cpu: ${n}`));

/** The seqs that can be read in all files of the folder; lines that damage made unreadable are none. */
async function readableSeqs(): Promise<number[]> {
  const texts = await Promise.all(
    readdirSync(folder)
      .sort()
      .map((name) => scanned(join(folder, name))),
  );
  const lines = texts.join("").split("\n").filter(isLine);
  return seqsOf(linesOf(lines.map((line) => `${line}\n`).join(""))).flatMap((seq) =>
    typeof seq === "number" ? [seq] : [],
  );
}

function isLine(text: string): boolean {
  try {
    // One that is no UTF-8 is none.
    return JSON.parse(text).schema === 1 && text.startsWith('{"schema":1,') && !text.includes("\ufffd");
  } catch {
    return false;
  }
}

describe.each(EXTENSIONS)("a byte that is another, anywhere, %s", (extension) => {
  test.each([0xff, 0x01])(
    "by %p: nothing is lost that could be read, and recording goes on or is refused",
    async (flip) => {
      const path = join(folder, `t${extension}`);
      await recordFrames(path, frames(3, 0));
      await recordFrames(path, frames(2, 3));
      const sound = readFileSync(path);
      rmSync(path);
      for (let at = 0; at < sound.length; at += 9) {
        const bytes = Buffer.from(sound);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        writeFileSync(path, bytes);
        const before = await readableSeqs();
        await goOn(path, bytes);
        const after = await readableSeqs();
        expect([at, ...after.slice(0, before.length)]).toEqual([at, ...before]);
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
      }
    },
  );
});

/** Another frame comes after all that are there; or the file is refused, and stays as it is. */
async function goOn(path: string, bytes: Buffer): Promise<void> {
  const before = await readableSeqs();
  try {
    await recordFrames(path, frames(1, 9));
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    return;
  }
  const after = await readableSeqs();
  expect(after.length).toBeGreaterThan(before.length);
  // Others are what damage made of them.
  const real = before.filter((seq) => seq < 5);
  expect(after.at(-1)).toBeGreaterThan(Math.max(-1, ...real));
}
