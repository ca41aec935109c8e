import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFrames } from "./recordings.ts";
import { LAUNCHER, type Outcome, record, SMALL, start, testFolder } from "./run.ts";

const folder = testFolder();
const canInject = Bun.which("strace") !== null;

let count = 0;

/** A new, empty folder. */
function emptyFolder(): string {
  const path = join(folder, `empty_${++count}`);
  mkdirSync(path);
  return path;
}

/** Records a second where a system call does what `injected` says; by way of strace(1). */
const recordWith = (injected: string, ...options: string[]): Promise<Outcome> =>
  start([
    ...[
      "strace",
      "-D",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${injected.split(":")[0]}`,
      "-e",
      `inject=${injected}`,
    ],
    ...["env", `XDG_CACHE_HOME=${join(folder, `cache_${count}`)}`, LAUNCHER, "record", "--duration", "0.5s", ...SMALL],
    ...options,
  ]).ended;

const REASONS: readonly (readonly [code: string, words: string])[] = [
  ["EOPNOTSUPP", "this file system has no locks (EOPNOTSUPP); record to another one, or mount it with locks"],
  ["ENOSYS", "this file system has no locks (ENOSYS); record to another one, or mount it with locks"],
  ["ENOLCK", "there is no lock to be had (ENOLCK); on NFS start rpc.statd on both sides, or record to a local disk"],
  ["EIO", "cannot be locked (EIO); give another path"],
];

describe.skipIf(!canInject)("a lock that cannot be had", () => {
  test.each(REASONS)("%s: the true reason, and nothing is left behind", async (code, words) => {
    const empty = emptyFolder();
    const path = join(empty, "trace.ndjson");
    const { code: status, out, err } = await recordWith(`flock:error=${code}`, "-o", path);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toStartWith(`all-smi: ${path}: ${words}`);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(readdirSync(empty)).toEqual([]);
  });

  test("what is there stays as it is", async () => {
    const empty = emptyFolder();
    const path = join(empty, "trace.ndjson");
    expect((await record("-o", path, "--duration", "0.2s", ...SMALL).ended).code).toBe(0);
    const bytes = readFileSync(path);
    expect((await recordWith("flock:error=EOPNOTSUPP", "-o", path)).code).toBe(2);
    expect(readdirSync(empty)).toEqual(["trace.ndjson"]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("the folders of the default place go again", async () => {
    emptyFolder();
    const { code, err } = await recordWith("flock:error=EOPNOTSUPP");
    expect(code).toBe(2);
    expect(err).toContain("all-smi-record.ndjson.zst: this file system has no locks (EOPNOTSUPP)");
    expect(existsSync(join(folder, `cache_${count}`, "all-smi"))).toBe(false);
  });

  test("a signal that interrupts it is no reason", async () => {
    const path = join(emptyFolder(), "trace.ndjson");
    const { code, err } = await recordWith("flock:error=EINTR:when=1..3", "-o", path);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringContaining("lock") });
    expect((await readFrames(path)).length).toBeGreaterThan(0);
  });

  test("held by another recorder", async () => {
    const path = join(emptyFolder(), "trace.ndjson");
    const { code, err } = await recordWith("flock:error=EAGAIN", "-o", path);
    expect(code).toBe(2);
    expect(err).toBe(`all-smi: ${path}: another all-smi is recording to it; stop that one, or give another path\n`);
  });
});

test.skipIf(!canInject)("a start that fails for another reason leaves nothing behind either", async () => {
  const empty = emptyFolder();
  const { code, out, err } = await start([
    ...["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=statfs", "-e", "inject=statfs:error=EIO"],
    ...[LAUNCHER, "record", "-o", join(empty, "trace.ndjson"), "--source", "mock", "--duration", "0.5s"],
  ]).ended;
  expect([code, out, readdirSync(empty)]).toEqual([2, "", []]);
  expect(err).toBe(`all-smi: ${empty}: input/output error\n`);
});
