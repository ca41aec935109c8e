import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordFrames } from "./in_process.ts";
import { EXTENSIONS, linesOf, scanned } from "./recordings.ts";
import { PROGRAM, start, testFolder } from "./run.ts";
import { encodedUnits } from "./units.ts";
import { everySecond, framesAt } from "./view_recordings.ts";

const root = testFolder();
const FRAMES = framesAt(everySecond(9));
const HOLE_BYTES = 64 << 20;

/** Where deflate is in the middle of this, zero bytes are more of it: a quarter of a kilobyte for every two bits. */
const LONG = Buffer.from(JSON.stringify({ schema: 1, comment: "x".repeat(4 << 20) }));

/** Three units of three frames, the second of which goes over into zero bytes. */
async function withHole(extension: string): Promise<string> {
  const folder = join(root, crypto.randomUUID());
  mkdirSync(folder);
  const sound = join(folder, `sound${extension}`);
  await recordFrames(sound, FRAMES);
  const lines = linesOf(await scanned(sound))
    .slice(0, -1)
    .map((line) => Buffer.from(JSON.stringify(line)));
  const [first, second, third] = [lines.slice(0, 4), [...lines.slice(4, 7), LONG], lines.slice(7)].map((unit) =>
    encodedUnits(extension, [unit]),
  );
  const path = join(folder, `t${extension}`);
  writeFileSync(
    path,
    Buffer.concat([first ?? Buffer.alloc(0), second?.subarray(0, second.length / 2) ?? Buffer.alloc(0)]),
  );
  truncateSync(path, statSync(path).size + HOLE_BYTES);
  // The rest of a line: in plain text nothing else tells where the next one begins.
  appendFileSync(path, Buffer.concat([Buffer.from(extension === ".ndjson" ? "\n" : ""), third ?? Buffer.alloc(0)]));
  return path;
}

test.each(EXTENSIONS)("a hole in the middle of a unit, %s: what is before and behind it counts", async (extension) => {
  const path = await withHole(extension);
  const { code, out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect(code).toBe(0);
  const { frames, last_t, skipped } = JSON.parse(out) as { frames: number; last_t: string; skipped: object };
  expect(last_t).toBe("2026-04-18T12:00:08.000Z");
  expect(frames).toBeGreaterThanOrEqual(6);
  if (extension === ".ndjson.gz") expect(JSON.stringify(skipped)).toContain("a hole of zero bytes");
});
