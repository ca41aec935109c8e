import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";

const MAIN = join(import.meta.dir, "..", "..", "src", "cli", "main.ts");

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function snapshot(...options: string[]): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, MAIN, "snapshot", ...options], { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/** What is written to a terminal. */
async function onTerminal(...options: string[]): Promise<string> {
  const written: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  const child = Bun.spawn([process.execPath, MAIN, "snapshot", ...options], {
    terminal: { cols: 80, rows: 24, data: (_, bytes) => written.push(bytes), exit: () => ended.resolve() },
  });
  await ended.promise;
  child.terminal?.close();
  return Buffer.concat(written).toString();
}

function frameOf(text: string): Frame {
  const line = decodeLine(text);
  if (line.kind !== "frame") throw new Error(`no frame: ${text.slice(0, 200)}`);
  return line.frame;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "all-smi-snapshot-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A root of a machine that has only these files in /proc. */
function machine(name: string, files: Record<string, string>): string {
  const proc = join(folder, name, "proc");
  mkdirSync(proc, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(proc, file), text);
  return join(folder, name);
}

const MEMINFO = "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 600 kB\nBuffers: 10 kB\nCached: 200 kB\n";

describe("this machine", () => {
  test("as JSON is one line that a recording could hold", async () => {
    const { code, out } = await snapshot();
    expect(code).toBe(0);
    expect(out.indexOf("\n")).toBe(out.length - 1);
    const frame = frameOf(out);
    expect(frame.memory?.[0]?.total_bytes).toBeGreaterThan(0);
    expect(Object.keys(JSON.parse(out)).slice(-5)).toEqual(["gpus", "cpus", "memory", "chassis", "errors"]);
  });

  test("has a measured CPU utilization in a single frame", async () => {
    const busy = Bun.spawn([process.execPath, "-e", "for (;;);"]);
    try {
      const { out } = await snapshot("--include", "cpu");
      expect(frameOf(out).cpus?.[0]?.utilization).toBeGreaterThan(0);
    } finally {
      busy.kill();
      await busy.exited;
    }
  });

  test("as Prometheus text is what the Rust tool's remote view takes", async () => {
    const { code, out } = await snapshot("--format", "prometheus", "--include", "cpu,memory,disk,process");
    expect(code).toBe(0);
    const series = out.split("\n").filter((line) => line !== "" && !line.startsWith("# "));
    expect(series.filter((line) => !/^all_smi_([^{]+)\{([^}]+)\} ([\d.]+)$/.test(line))).toEqual([]);
    expect(series.some((line) => line.startsWith("all_smi_memory_total_bytes{"))).toBe(true);
  });

  test("several times is an array in order, or lines with their time", async () => {
    const json = await snapshot("--include", "memory", "--samples", "3", "--interval", "0.1");
    const times = (JSON.parse(json.out) as { t: string }[]).map((frame) => frame.t);
    expect(times.length).toBe(3);
    expect(times).toEqual([...new Set(times)].sort());
    const csv = await snapshot("--format", "csv", "--include", "memory", "--samples", "2", "--interval", "0.1");
    expect(csv.out).toMatch(/^timestamp,section,index,.*\n(\d{4}-[^,]*Z,memory,0,.*\n){2}$/);
  });

  test("is indented on a terminal, unless a flag says otherwise", async () => {
    expect(await onTerminal("--include", "memory")).toStartWith('{\r\n  "schema": 1,\r\n');
    expect(await onTerminal("--include", "memory", "--pretty=false")).toStartWith('{"schema":1,');
  });

  test("is indented where that was asked for", async () => {
    const { out } = await snapshot("--include", "memory", "--pretty");
    expect(out).toStartWith('{\n  "schema": 1,\n');
    expect((await snapshot("--include", "memory", "--pretty=false")).out).toStartWith('{"schema":1,');
  });
});

test("simulated GPUs come as CSV, by the columns that were asked for", async () => {
  const query = ["--format", "csv", "--query", "section,index,hostname,total_memory,detail.nothing"];
  const { code, out } = await snapshot("--mock", "1x4", "--include", "gpu", ...query);
  expect(code).toBe(0);
  const [header, ...rows] = out.trimEnd().split("\n");
  expect(header).toBe("section,index,hostname,total_memory,detail.nothing");
  expect(rows.map((row) => row.split(",").slice(0, 2).join())).toEqual(["gpu,0", "gpu,1", "gpu,2", "gpu,3"]);
  for (const row of rows) expect(row).toMatch(/^gpu,\d,mock-[^,]+,\d{9,},$/);
});

describe("--output", () => {
  test("writes the file and nothing else", async () => {
    const path = join(folder, "out.json");
    const { code, out } = await snapshot("--include", "memory", "-o", path);
    expect([code, out]).toEqual([0, ""]);
    expect(frameOf(readFileSync(path, "utf8")).memory?.length).toBe(1);
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("refuses a link and leaves its target alone", async () => {
    writeFileSync(join(folder, "target"), "kept");
    symlinkSync("target", join(folder, "link"));
    const { code, err } = await snapshot("--include", "memory", "-o", join(folder, "link"));
    expect(code).toBe(2);
    expect(err).toContain("symbolic link");
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("kept");
  });
});

test("what cannot be written is said in words, with its path", async () => {
  const path = join(folder, "a".repeat(300));
  const { code, out, err } = await snapshot("--include", "memory", "-o", path);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toBe(`all-smi: --output ${path}: name too long\n`);
});

describe("exit status", () => {
  const wrong: string[][] = [
    ["--format", "xml"],
    ["--include", "gpu,nothing"],
    ["--include", ""],
    ["--format", "csv", "--query", ""],
    ["--format", "csv", "--query", "detail."],
    ["--query", "name"],
    ["--pretty=perhaps"],
    ["--samples", "0"],
    ["--samples", "2", "--format", "prometheus"],
    ["--interval", "-1"],
    ["--timeout-ms", "soon"],
    ["--output", tmpdir()],
    ["--source", "mock", "--mock", "many"],
    ["--nothing"],
    ["argument"],
  ];
  test.each(wrong.map((options) => [options.join(" "), options] as const))("2: %s", async (_, options) => {
    const { code, out, err } = await snapshot(...options);
    expect([code, out]).toEqual([2, ""]);
    expect(err.trimEnd().split("\n").length).toBe(1);
  });

  test("0 where a part could not be read, which is said on stderr and in the frame", async () => {
    const root = machine("half", { meminfo: MEMINFO });
    const { code, out, err } = await snapshot("--host-root", root, "--hostname", "half", "--include", "cpu,memory");
    expect(code).toBe(0);
    const frame = frameOf(out);
    expect([frame.memory?.[0]?.total_bytes, frame.cpus?.[0]?.utilization ?? null]).toEqual([1000 * 1024, null]);
    expect(frame.errors.length).toBeGreaterThan(0);
    for (const error of frame.errors) expect(err).toContain(`all-smi: ${error}\n`);
  });

  test("1 where there is no device, with a frame that says so", async () => {
    const { code, out, err } = await snapshot(
      "--host-root",
      machine("bare", {}),
      "--hostname",
      "b",
      "--include",
      "gpu",
    );
    expect(code).toBe(1);
    expect(frameOf(out).gpus).toEqual([]);
    expect(err).toContain("no device");
  });

  test("0 and no word when the reader has gone", async () => {
    const shell = '"$0" "$1" snapshot --include memory --samples 1000 --interval 0.1; echo "$?" >&2';
    const child = Bun.spawn(["sh", "-c", `{ ${shell}; } | head -c 10`, process.execPath, MAIN], {
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.stdout.text()).toBe('[{"schema"');
    expect(await child.stderr.text()).toBe("0\n");
  });
});
