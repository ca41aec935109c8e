/**
 * What watching costs: CPU and memory of real views on a pseudo-terminal, once they are up.
 *
 *     npm run bench:view [-- SECONDS]     each view is watched for half a minute
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Terminal } from "@xterm/headless";
import { ALL } from "../test/mock.ts";
import { type Memory, memoryOf, sampleOf } from "./recorder.ts";
import { recordMock } from "./replay_recording.ts";

const PROGRAM = join(import.meta.dir, "../bin/all-smi");
const SEED = 1;
const [seconds = 30] = process.argv.slice(2).map(Number);

/** Until code is compiled, and histories are filled. */
const WARM_UP_MS = 20_000;
const SIZE = { cols: 160, rows: 50 };
const SPEED = 8;
const INTERVAL_MS = 1000;

const AIM_PLAYING_PERCENT = 10;
const AIM_LIVE_PERCENT = 2;
const AIM_LIVE_MIB = 110;

interface ViewCost {
  readonly cpuPercent: number;
  readonly memory: Memory;
  /** What the terminal was sent. */
  readonly bytesPerSecond: number;
}

async function watch(options: readonly string[]): Promise<ViewCost> {
  const emulator = new Terminal({ ...SIZE, allowProposedApi: true });
  let bytes = 0;
  const view = Bun.spawn([PROGRAM, "view", ...options], {
    env: { ...process.env, TERM: "xterm-256color", COLORTERM: "truecolor", NO_COLOR: "" },
    terminal: {
      ...SIZE,
      data: (_, sent) => {
        bytes += sent.length;
        emulator.write(sent);
      },
    },
  });
  // The program asks the terminal what it can do.
  emulator.onData((text) => view.terminal?.write(text));
  try {
    await Bun.sleep(WARM_UP_MS);
    const before = { ...sampleOf(view.pid), bytes };
    await Bun.sleep(seconds * 1000);
    const after = { ...sampleOf(view.pid), bytes };
    const memory = memoryOf(view.pid);
    const passed_ms = after.t_ms - before.t_ms;
    return {
      cpuPercent: ((after.cpu_ms - before.cpu_ms) / passed_ms) * 100,
      memory,
      bytesPerSecond: ((after.bytes - before.bytes) / passed_ms) * 1000,
    };
  } finally {
    view.kill("SIGTERM");
    await view.exited;
  }
}

const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-"));
try {
  const path = join(folder, "trace.ndjson.zst");
  const frames = ((WARM_UP_MS / 1000 + seconds) * SPEED * 1000) / INTERVAL_MS + 1000;
  await recordMock(path, { hosts: 1, gpus: 8, seed: SEED, include: ALL }, INTERVAL_MS, frames);
  const mock = ["--source", "mock", "--mock", "1x8", "--seed", `${SEED}`];
  const views = {
    [`playing at ${SPEED}x`]: ["--replay", path, "--speed", `${SPEED}`],
    paused: ["--replay", path, "--paused"],
    "live, 8 GPUs (mock)": mock,
    "live, this machine": [],
  };
  const costs: Record<string, ViewCost> = {};
  for (const [name, options] of Object.entries(views)) costs[name] = await watch(options);
  console.table(
    Object.entries(costs).map(([view, { cpuPercent, memory, bytesPerSecond }]) => ({
      view,
      "% of a core": cpuPercent.toFixed(2),
      "resident MiB": memory.resident.toFixed(1),
      highest: memory.highest.toFixed(1),
      anonymous: memory.anonymous.toFixed(1),
      "to the terminal": `${(bytesPerSecond / 1024).toFixed(1)} KiB/s`,
    })),
  );
  const [playing, , live] = Object.values(costs) as [ViewCost, ViewCost, ViewCost];
  const aims = [
    [`playing a recording of 1 s at ${SPEED}x`, playing.cpuPercent, AIM_PLAYING_PERCENT, "%"],
    ["live at 1 s, 8 GPUs", live.cpuPercent, AIM_LIVE_PERCENT, "%"],
    ["  its memory", live.memory.highest, AIM_LIVE_MIB, "MiB"],
  ] as const;
  const table = aims.map(([what, value, limit, unit]) => ({
    what,
    aim: `≤ ${limit} ${unit}`,
    measured: `${value.toFixed(2)} ${unit}`,
    isMet: value <= limit,
  }));
  console.table(table);
  process.exitCode = table.every(({ isMet }) => isMet) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
