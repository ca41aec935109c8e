import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frameLine } from "../../src/frame/encode.ts";
import { nvidiaFrame } from "../frames.ts";
import { Pty } from "./pty.ts";
import { PROGRAM, SMALL, start, testFolder, until } from "./run.ts";

const folder = testFolder();
const own = mkdtempSync(join(tmpdir(), "all-smi-bounds-"));
afterAll(() => rmSync(own, { recursive: true, force: true }));

const all = (...options: string[]) => start([...PROGRAM, ...options]).ended;
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

describe("snapshot -o", () => {
  // Of this machine: the simulated one has readers that fail for some seconds of every ten minutes, which is exit status 1.
  const snapshot = [...PROGRAM, "snapshot", "--include", "memory", "-o"];
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  test.each([
    ["022", "644"],
    ["077", "600"],
    ["002", "664"],
  ])("under the umask %s a new file has the mode %s", async (umask, mode) => {
    const path = join(folder, `umask-${umask}.json`);
    const { code } = await start(["sh", "-c", `umask ${umask}; exec ${quoted([...snapshot, path])}`]).ended;
    expect({ code, mode: modeOf(path) }).toEqual({ code: 0, mode });
  });

  test.each([0o600, 0o640, 0o644])("a file that is replaced keeps its mode %o", async (mode) => {
    const path = join(folder, `replaced-${mode}.json`);
    writeFileSync(path, "before");
    chmodSync(path, mode);
    expect((await start([...snapshot, path]).ended).code).toBe(0);
    expect(readFileSync(path, "utf8")).toStartWith("{");
    expect(modeOf(path)).toBe(mode.toString(8));
  });

  test("the name of a folder is refused, whether there is one or not", async () => {
    for (const path of [`${folder}/`, `${folder}/none/`]) {
      const { code, err } = await start([...snapshot, path]).ended;
      expect([code, err]).toEqual([2, `all-smi: --output ${path}: is the name of a folder; give the path of a file\n`]);
    }
  });
});

describe("a terminal that says it has 0 columns", () => {
  const of0 = (...options: string[]): Pty =>
    new Pty(["sh", "-c", `stty cols 0 rows 0; exec ${quoted([...PROGRAM, ...options])}`], { columns: 120 });

  test("has 80: view --once", async () => {
    const pty = of0("view", "--once", "--source", "mock", "--mock", "1x1", "--color", "never");
    expect(await pty.child.exited).toBe(0);
    const lines = pty.output.trimEnd().split("\r\n");
    expect(lines).toHaveLength(23);
    const widths = lines.map((line) => Bun.stringWidth(Buffer.from(line, "latin1").toString()));
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    expect(Math.max(...widths)).toBeGreaterThan(60);
  });

  test("has 80: record's line", async () => {
    const pty = of0("record", "-o", join(own, "of0.ndjson"), ...SMALL);
    await until("the line", () => pty.output.includes("recording  00:00:0"));
    pty.child.kill("SIGTERM");
    await pty.child.exited;
    expect(pty.output).toMatch(/recording {2}[\d:]+ {2}\d+ frames/);
  });
});

/** A frame with a device whose numbers are no numbers of a line. */
const lineWith = (pid: number): string => {
  const [process] = nvidiaFrame.processes ?? [];
  return frameLine(nvidiaFrame).replace(/"pid":\d+/, `"pid":${process === undefined ? 0 : pid}`);
};

test("a number that is beyond what identifies a device is none, and no date is made of one that is none", async () => {
  const path = join(folder, "odd.ndjson");
  const odd = [
    lineWith(2 ** 32),
    frameLine(nvidiaFrame).replaceAll("2026-04-18T", "2026-02-31T"),
    frameLine(nvidiaFrame).replaceAll("2026-04-18T12", "2026-04-18T24"),
  ];
  writeFileSync(path, `${odd.join("\n")}\n`);
  const { code, out } = await all("info", "--json", path);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ frames: 1, skipped_lines: 2, first_t: "2026-04-18T12:02:06.250Z" });
});
