import { expect, test } from "bun:test";
import { existsSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { complaint, counted, EXTENSIONS, readFrames, readLines } from "./recordings.ts";
import { record, SMALL, testFolder, until } from "./run.ts";

const root = testFolder();

/** A path in a folder of its own, and a recorder that has written some frames to it. */
async function recording(name: string): Promise<{ path: string; recorder: ReturnType<typeof record> }> {
  const folder = join(root, name);
  mkdirSync(folder);
  const path = join(folder, name);
  const recorder = record("-o", path, ...SMALL);
  await until("the first frames", async () => existsSync(path) && (await readFrames(path)).length >= 3);
  return { path, recorder };
}

test.concurrent.each(EXTENSIONS)(
  "a recording that is moved away is closed there, and goes on at its path: %s",
  async (extension) => {
    const { path, recorder } = await recording(`moved${extension}`);
    const moved = `${path}.old`;
    renameSync(path, moved);
    await until("a new file", async () => existsSync(path) && (await readFrames(path)).length >= 2);
    recorder.child.kill("SIGTERM");
    const { code, err } = await recorder.ended;
    expect(code).toBe(0);
    expect(err.match(/was moved or removed/g)).toHaveLength(1);
    expect(complaint(moved)).toBe("");
    expect(complaint(path)).toBe("");
    expect((await readLines(moved)).at(-1)).toMatchObject({ index: true, end: true });
    const seqs = [...(await readFrames(moved)), ...(await readFrames(path))].map(({ seq }) => seq ?? -1);
    expect(seqs).toEqual(counted(seqs.length));
    expect((await readLines(path))[0]).toMatchObject({ header: true });
  },
);

test.concurrent("a recording that is removed begins again at its path", async () => {
  const { path, recorder } = await recording("removed.ndjson.zst");
  unlinkSync(path);
  await until("a new file", async () => existsSync(path) && (await readFrames(path)).length >= 2);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  expect(complaint(path)).toBe("");
});
