import { describe, expect, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { ZSTD_MAGIC } from "../../src/recording/zstd_frame.ts";
import { frameWith, gpu } from "../event_frames.ts";
import { recordFrames } from "./in_process.ts";
import { counted, EXTENSIONS } from "./recordings.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const root = testFolder();

/** Two GPUs without a name; of two hosts that do not answer in the second frame, one is back in the third. */
const frames = counted(3).map((n): Frame => {
  const scrapes = ["a", "b"].map((host) => {
    const up = n === 0 || (n === 2 && host === "b");
    return { host, hostname: host, up, latency_ms: null, error: up ? null : "connection refused" };
  });
  const gpus = [gpu(0), gpu(1)].map((one) => ({ ...one, name: "" }));
  return frameWith(gpus, { scrapes, t_ms: Date.UTC(2026, 3, 18, 12, 0, n) });
});

async function info(path: string): Promise<Record<string, unknown>> {
  const { code, out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect(code).toBe(0);
  return JSON.parse(out);
}

describe.each(EXTENSIONS)("info, %s", (extension) => {
  test("devices without names, what was on at the end, and what is behind it", async () => {
    const path = join(root, `t${extension}`);
    await recordFrames(path, frames);
    expect(await info(path)).toMatchObject({
      devices: { "unnamed GPU": 2 },
      events: { host_lost: 2 },
      still_on: { host_lost: 1 },
      ended: "closed",
      foreign_bytes: 0,
    });
    appendFileSync(path, Buffer.alloc(700, "rubbish\n"));
    expect(await info(path)).toMatchObject({ frames: 3, ended: "closed", foreign_bytes: 700 });
    const { out } = await start([...PROGRAM, "info", path]).ended;
    const codec = { ".ndjson": "uncompressed", ".ndjson.gz": "gzip", ".ndjson.zst": "zstd" }[extension];
    expect(out).toMatch(new RegExp(`^size +[\\d.]+ K?B ${codec}, [\\d.]+ K?B a frame$`, "m"));
    expect(out).toMatch(/still on +1 host_lost\nended +closed cleanly, then 700 B that are no part of it\n/);
  });
});

test("devices of hosts that are down at the end, or in the first frame, are named too", async () => {
  const path = join(root, "down.ndjson.zst");
  const of = (host: string, name: string) => ({ ...gpu(0), host_id: host, hostname: host, name });
  const [a, b] = [of("a", "H100"), of("b", "A100")];
  for (const [n, gpus] of [[a, { ...b, name: "" }], [b, b], [a]].entries()) {
    const t_ms = Date.UTC(2026, 3, 18, 12, 0, n);
    // A recorder each, so that each frame begins a block.
    await recordFrames(path, [{ ...frameWith(gpus), t_ms }]);
  }
  expect(await info(path)).toMatchObject({ frames: 3, devices: { H100: 1, "unnamed GPU": 1, A100: 2 } });
});

test("another schema in the middle: what came before is told, then its words; exit 2", async () => {
  const path = join(root, "schema.ndjson");
  await recordFrames(path, frames);
  appendFileSync(path, '{"schema":2,"t":"2026-04-18T12:00:05Z"}\n');
  const { code, out, err } = await start([...PROGRAM, "info", path, "--json"]).ended;
  const words = "replay: unsupported schema version 2, this all-smi supports schema 1";
  expect([code, err]).toEqual([2, `${words}\n`]);
  expect(JSON.parse(out)).toMatchObject({ frames: 3, refused: words });
});

describe("what cannot be read is refused in a sentence:", () => {
  const refusal = async (path: string): Promise<string> => {
    const { code, out, err } = await start([...PROGRAM, "info", path]).ended;
    expect([code, out]).toEqual([2, ""]);
    return err;
  };

  test("a pipe and a device", async () => {
    const pipe = join(root, "pipe.ndjson");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    for (const path of [pipe, "/dev/zero"]) expect(await refusal(path)).toBe(`all-smi: ${path}: is no regular file\n`);
  });

  test("no path", async () => {
    expect(await refusal("")).toBe("all-smi: the path is empty: give that of a recording\n");
  });

  test("a zstd window that is too large, and how to make a smaller one", async () => {
    const path = join(root, "wide.ndjson.zst");
    const text = Buffer.from('{"schema":1}\n');
    const blockHeader = [(text.length << 3) | 1, 0, 0];
    writeFileSync(path, Buffer.concat([ZSTD_MAGIC, Uint8Array.of(0, (18 << 3) | 1, ...blockHeader), text]));
    expect(await refusal(path)).toBe(
      `all-smi: ${path}: its zstd window of 288 MiB is too large, 128 MiB is the limit: ` +
        `zstd -dc --long=31 ${path} | zstd > OTHER makes one that plays\n`,
    );
  });
});

test("devices are counted by any name, and of very many some are named", async () => {
  const path = join(root, "named.ndjson.zst");
  const name = (n: number): string => ["constructor", "__proto__"][n] ?? `card of the kind ${n}`;
  const gpus = counted(60).map((n) => ({ ...gpu(n), name: name(n) }));
  await recordFrames(path, [frameWith(gpus, { t_ms: Date.UTC(2026, 3, 18, 12) })]);
  const { devices = {} } = await info(path);
  expect(Object.entries(devices as object)).toEqual(counted(60).map((n) => [name(n), 1]));
  const { out } = await start([...PROGRAM, "info", path]).ended;
  expect(out).toMatch(/^devices +1 constructor, 1 __proto__, 1 card of the kind 2, .*, … and 20 more$/m);
});
