import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { AppendFile } from "./append_file.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-append-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Step = readonly ["append", Uint8Array] | readonly ["cut", number] | readonly ["probe", number] | readonly ["sync"];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant("append" as const), fc.uint8Array({ maxLength: 40 })),
  fc.tuple(fc.constant("cut" as const), fc.integer({ min: 0, max: 60 })),
  fc.tuple(fc.constant("probe" as const), fc.integer({ min: 0, max: 100 })),
  fc.tuple(fc.constant("sync" as const)),
);

/** Not waited for one by one: what is asked for at the same time is done one after the other. */
function take(file: AppendFile, [what, how]: Step): Promise<void> {
  if (what === "append") return file.append(how);
  if (what === "probe") return file.probe(how);
  return what === "sync" ? file.sync() : file.truncate(how);
}

test("holds what was appended and not cut off, whatever is asked for at the same time", async () => {
  let count = 0;
  const steps = fc.array(step, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, fc.uint8Array({ maxLength: 50 }), async (steps, there) => {
      const path = join(folder, `file_${++count}`);
      writeFileSync(path, there);
      const file = await AppendFile.open(path);
      let expected = Buffer.from(there);
      const asked = steps.flatMap((one) => {
        // It only grows, and is cut at a place that it has.
        if (one[0] === "cut" && one[1] > expected.length) return [];
        if (one[0] === "append") expected = Buffer.concat([expected, one[1]]);
        if (one[0] === "cut") expected = expected.subarray(0, one[1]);
        return [take(file, one)];
      });
      await Promise.all(asked);
      expect(file.size).toBe(expected.length);
      expect(Buffer.from(await file.read(0)).equals(expected)).toBe(true);
      expect(Buffer.from(await file.read(3)).equals(expected.subarray(3))).toBe(true);
      await file.sync();
      await file.close();
      expect(readFileSync(path).equals(expected)).toBe(true);
      rmSync(path);
    }),
    { numRuns: 200 },
  );
});

test("more than may wait for the disk is whole, too", async () => {
  const path = join(folder, "large");
  const file = await AppendFile.create(path);
  const pieces = Array.from({ length: 12 }, (_, n) => new Uint8Array(1 << 20).fill(n));
  for (const piece of pieces) await file.append(piece);
  await file.close();
  expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
});

test("what is at the path is neither replaced nor removed", async () => {
  const path = join(folder, "there");
  writeFileSync(path, "somebody's");
  await expect(AppendFile.create(path)).rejects.toMatchObject({ code: "EEXIST" });
  expect(readFileSync(path, "utf8")).toBe("somebody's");
  await expect(AppendFile.open(join(folder, "nothing"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(existsSync(join(folder, "nothing"))).toBe(false);
});
