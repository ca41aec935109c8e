import { describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
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
