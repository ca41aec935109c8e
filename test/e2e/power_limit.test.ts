import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { frameWith, gpu } from "../event_frames.ts";
import { START_MS } from "../mock.ts";
import { recordFrames } from "./in_process.ts";
import { counted } from "./recordings.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();

/** A GPU at 399 W for twenty seconds, of which rows tell the limit in some way. */
const frames = (detail: Record<string, string>, power_limit_watts: number | null): Frame[] =>
  counted(20).map((n) => {
    const one = { ...gpu(0, { watts: 399 }), detail, health: { power_limit_watts } };
    return frameWith([one], { t_ms: START_MS + n * 1000, elapsed_ms: n * 1000 });
  });

test.each([
  ["in force", {}, 400],
  ["of a text", { power_limit_current: "400.00", power_limit_max: "700.00" }, null],
  [
    "the default, where that in force is not to be had",
    { power_limit_current: "N/A", power_limit_default: "400.00" },
    null,
  ],
  ["the highest one, as the exporters of the Rust tool have it", { power_limit_max: "400.00" }, null],
  ["not 0 W", { power_limit_default: "400.00" }, 0],
] as const)("events and screen go by the same power limit: %s", async (name, detail, watts) => {
  const path = join(folder, `${name.replaceAll(/\W/g, "-")}.ndjson.zst`);
  await recordFrames(path, frames(detail, watts));
  const info = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect(JSON.parse(info.out).events).toEqual({ power: 1 });
  const screen = await start([...PROGRAM, "view", "--replay", path, "--once", "--size", "160x40"]).ended;
  expect(screen.out).toMatch(/399\s*\/\s*400 ?W/);
});
