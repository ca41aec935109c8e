/**
 * Half an hour of everything that may happen to a recorder at once: `npm run check:soak -- --minutes 30`.
 *
 * It records 20 nodes, of which five misbehave in turn, and begins a new segment every ten seconds; a viewer follows; the
 * disk, a small one that is mounted for it, is filled and freed twice. Needs root, to mount.
 */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { firstBytes } from "../../bench/recorder.ts";
import { badNodes } from "./bad_nodes.ts";
import { countFrames } from "./frames.ts";
import { type Held, heldBy, tenths, thirds } from "./watch.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const duration_ms = Number(values.minutes) * 60_000;

const PROGRAM = join(import.meta.dir, "../../bin/all-smi");
const HEALTHY = 15;
const BAD = 5;
const PORT = 24_000 + (process.pid % 100) * 20;
const INTERVAL_MS = 1000;
const ROTATE_MS = 10_000;
const SAMPLE_MS = 2000;
const DISK_BYTES = 96 << 20;
const KEPT_SEGMENTS = 8;
/** Until a follower must have let go of what was removed. */
const LET_GO_MS = 15_000;
/** Until a recorder that was told to end has ended. */
const EXIT_MS = 20_000;
/** Of the time: when the disk is filled, and for how long; once early, so that what only that needs is loaded by then. */
const FILLED = [
  [0.1, 0.13],
  [0.6, 0.63],
] as const;

const folder = mkdtempSync(join(tmpdir(), "all-smi-soak-"));
const disk = mkdtempSync(join(tmpdir(), "all-smi-soak-disk-"));
const archive = join(folder, "archive");

const spawn = (...args: string[]): Bun.Subprocess =>
  Bun.spawn([PROGRAM, ...args], { stdio: ["ignore", "ignore", "pipe"] });

function mount(): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk]);
  if (exitCode !== 0) throw new Error(`the disk cannot be mounted: ${stderr}`);
}

async function hostfile(): Promise<{ path: string; stop: () => Promise<void> }> {
  const path = join(folder, "nodes");
  const options = ["--gpus", "4", "--threads", "16", "--processes", "20"];
  const nodes = spawn("mock", "--nodes", `${HEALTHY}`, "--port", `${PORT}`, "--hostfile", path, ...options);
  while (!existsSync(path)) {
    if (nodes.exitCode !== null) throw new Error("the nodes could not be served");
    await Bun.sleep(50);
  }
  const bad = await badNodes(BAD);
  writeFileSync(path, `${readFileSync(path, "utf8")}${bad.map(({ id }) => `${id}\n`).join("")}`);
  const stop = async (): Promise<void> => {
    nodes.kill("SIGTERM");
    await Promise.all([nodes.exited, ...bad.map((host) => host.close())]);
  };
  return { path, stop };
}

/** Keeps what the recorder closes, as it removes the oldest. */
function keepSegments(kept: Set<string>): void {
  for (const name of readdirSync(disk)) {
    if (!/^rec\.\d{4,}\.ndjson\.zst$/.test(name) || kept.has(name)) continue;
    copyFileSync(join(disk, name), join(archive, name));
    kept.add(name);
  }
}

function fill(): void {
  const { bavail, bsize } = statfsSync(disk);
  try {
    writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

const isFilled = (share: number): boolean => FILLED.some(([from, to]) => share >= from && share < to);

async function soak(recorder: Bun.Subprocess, viewer: Bun.Subprocess) {
  const kept = new Set<string>();
  const samples: { recorder: Held[]; viewer: Held[] } = { recorder: [], viewer: [] };
  const start = performance.now();
  let rotated = start;
  let wasFilled = false;
  for (let now = start; now - start < duration_ms; now = performance.now()) {
    await Bun.sleep(SAMPLE_MS);
    for (const [name, child] of Object.entries({ recorder, viewer })) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the ${name} ended`);
    }
    keepSegments(kept);
    samples.recorder.push(heldBy(recorder.pid));
    samples.viewer.push(heldBy(viewer.pid));
    const filled = isFilled((now - start) / duration_ms);
    if (filled) fill();
    else if (wasFilled) rmSync(join(disk, "filler"));
    wasFilled = filled;
    if (now - rotated >= ROTATE_MS) {
      recorder.kill("SIGHUP");
      rotated += ROTATE_MS;
    }
  }
  await Bun.sleep(LET_GO_MS);
  keepSegments(kept);
  return { samples, end: { recorder: heldBy(recorder.pid), viewer: heldBy(viewer.pid) } };
}

interface Check {
  readonly what: string;
  readonly found: string;
  readonly isWell: boolean;
}

function memoryCheck(what: string, samples: readonly Held[]): Check {
  const resident = ({ residentMiB }: Held): number => residentMiB;
  const [first, last] = thirds(samples, resident);
  const series = tenths(samples, resident).map(Math.round).join(" ");
  const found = `${first.toFixed(1)} MiB in the first third, ${last.toFixed(1)} in the last; by tenths ${series}`;
  return { what: `${what}: memory flat`, found, isWell: last <= first * 1.05 };
}

/** Of files that are none of the recording, as many as at first; of the recording's, one for each that is there. */
function descriptorCheck(what: string, samples: readonly Held[], end: Held): Check {
  const [first] = thirds(samples, (held) => held.descriptors - held.segments);
  const others = end.descriptors - end.segments;
  const found = `${first} at first, ${others} at the end; ${end.segments} of segments, ${end.deleted.length} of removed ones`;
  const isWell = others <= first + BAD && end.segments <= KEPT_SEGMENTS + 1 && end.deleted.length === 0;
  return { what: `${what}: descriptors`, found, isWell };
}

async function run(): Promise<Check[]> {
  Bun.spawnSync(["mkdir", "-p", archive]);
  mount();
  const nodes = await hostfile();
  const path = join(disk, "rec.ndjson.zst");
  const recorder = spawn(
    ...["record", "--hostfile", nodes.path, "-o", path, "-i", `${INTERVAL_MS / 1000}`, "--quiet"],
    ...["--max-files", `${KEPT_SEGMENTS}`, "--keep-free", "0"],
  );
  await firstBytes(path, recorder);
  let drawn = "";
  let drawnBytes = 0;
  const data = (_: unknown, bytes: Uint8Array): void => {
    drawnBytes += bytes.length;
    drawn = (drawn + Buffer.from(bytes)).slice(-2000);
  };
  const viewer = Bun.spawn([PROGRAM, "view", "--replay", path, "--start", "100%"], {
    env: { ...process.env, TERM: "xterm-256color" },
    terminal: { cols: 120, rows: 40, data },
  });
  try {
    const { samples, end } = await soak(recorder, viewer);
    recorder.kill("SIGTERM");
    const code = await Promise.race([recorder.exited, Bun.sleep(EXIT_MS)]);
    const segments = readdirSync(archive)
      .sort()
      .map((name) => join(archive, name));
    const counted = await countFrames([...segments, path], INTERVAL_MS);
    const { frames, refused, missing, jumps } = counted;
    return [
      { what: "the recorder's exit code", found: `${code ?? "none: it does not end"}`, isWell: code === 0 },
      {
        what: "frames",
        found: `${frames} in ${segments.length + 1} segments; ${refused} refused by the disk, ${missing} missing, ${jumps} jumps`,
        isWell: missing === 0 && jumps === 0 && frames + refused >= duration_ms / INTERVAL_MS - 2,
      },
      { what: "the disk was full", found: `${refused} frames refused`, isWell: refused > 0 },
      { what: "the viewer drew", found: `${drawnBytes} bytes`, isWell: drawnBytes > 100_000 },
      memoryCheck("recorder", samples.recorder),
      memoryCheck("viewer", samples.viewer),
      descriptorCheck("recorder", samples.recorder, end.recorder),
      descriptorCheck("viewer", samples.viewer, end.viewer),
    ];
  } catch (error) {
    throw new Error(`the viewer's last words: ${JSON.stringify(drawn)}`, { cause: error });
  } finally {
    for (const child of [recorder, viewer]) child.kill("SIGKILL");
    await nodes.stop();
  }
}

let isWell = false;
try {
  const checks = await run();
  console.table(checks.map(({ what, found, isWell }) => ({ what, found, "": isWell ? "well" : "NOT WELL" })));
  isWell = checks.every((check) => check.isWell);
} finally {
  Bun.spawnSync(["umount", "-l", disk]);
  rmSync(disk, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
process.exit(isWell ? 0 : 1);
