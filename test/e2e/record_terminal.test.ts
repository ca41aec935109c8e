import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Terminal } from "@xterm/headless";
import { complaint, readFrames, readLines } from "./recordings.ts";
import { PROGRAM, SMALL, testFolder, until } from "./run.ts";

const folder = testFolder();

/** The program on a pseudo-terminal, and what a person would see there. */
function onTerminal(cols: number, ...options: string[]) {
  const screen = new Terminal({ cols, rows: 10, allowProposedApi: true });
  const child = Bun.spawn([...PROGRAM, "record", ...options], {
    terminal: { cols, rows: 10, data: (_, bytes) => screen.write(bytes) },
  });
  const rows = (): string[] => {
    const { active } = screen.buffer;
    return Array.from({ length: 10 }, (_, y) => active.getLine(y)?.translateToString(true) ?? "");
  };
  /** The rows, once all that was written is on the screen. */
  const finalRows = async (): Promise<string[]> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    screen.write("", resolve);
    await promise;
    return rows().filter((row) => row !== "");
  };
  return { child, rows, finalRows };
}

describe.concurrent("on a terminal", () => {
  test("one line shows how it goes, and a closing one stays", async () => {
    const path = join(folder, "shown.ndjson.zst");
    const { child, rows, finalRows } = onTerminal(120, "-o", path, ...SMALL, "--duration", "1h");
    const figures = String.raw`\d+ frames {2}[\d.]+ [KM]?B(?: {2}\d+ errors?)? {2}CPU \d+\.\d % {2}[\d.]+ [KM]?B a frame`;
    const line = new RegExp(`^recording {2}00:00:\\d\\d / 01:00:00 {2}${figures}(?: {2}\\(.*)?$`);
    const [first] = await until("the line", () => (line.test(rows()[0] ?? "") ? rows() : null));
    await until("another", () => line.test(rows()[0] ?? "") && rows()[0] !== first);
    expect(rows().slice(1)).toEqual(Array(9).fill(""));
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    const [closing, ...more] = await finalRows();
    expect(closing).toMatch(/^all-smi: recorded 00:00:\d\d to .*: \d+ frames, /);
    expect(more.join("")).not.toContain("recording");
    child.terminal?.close();
  });

  test("the line never wraps", async () => {
    const path = join(folder, "narrow.ndjson.zst");
    const { child, rows, finalRows } = onTerminal(30, "-o", path, ...SMALL);
    await until("the line", () => (rows()[0] ?? "").startsWith("recording  00:00:0"));
    expect((rows()[0] ?? "").length).toBeLessThan(30);
    expect(rows()[1]).toBe("");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect((await finalRows())[0]).toStartWith("all-smi: recorded ");
    child.terminal?.close();
  });

  test("--quiet shows nothing", async () => {
    const path = join(folder, "quiet.ndjson.zst");
    const { child, finalRows } = onTerminal(80, "-o", path, ...SMALL, "--duration", "1.5s", "--quiet");
    expect(await child.exited).toBe(0);
    expect(await finalRows()).toEqual([]);
    expect((await readFrames(path)).length).toBeGreaterThan(5);
    child.terminal?.close();
  });

  test("Ctrl-C closes the recording", async () => {
    const path = join(folder, "interrupted.ndjson.zst");
    const { child, finalRows } = onTerminal(200, "-o", path, ...SMALL);
    await until("frames", async () => existsSync(path) && (await readFrames(path)).length > 2);
    child.terminal?.write("\x03");
    expect(await child.exited).toBe(0);
    expect((await finalRows()).at(-1)).toContain("all-smi: recorded ");
    expect((await readLines(path)).at(-1)).toMatchObject({ end: true });
    child.terminal?.close();
  });

  test("SIGHUP, and the terminal's end, close it, too", async () => {
    for (const hangUp of ["signal", "terminal"] as const) {
      const path = join(folder, `${hangUp}.ndjson.zst`);
      const { child } = onTerminal(80, "-o", path, ...SMALL);
      await until("frames", async () => existsSync(path) && (await readFrames(path)).length > 2);
      if (hangUp === "signal") child.kill("SIGHUP");
      else child.terminal?.close();
      await child.exited;
      expect(complaint(path)).toBe("");
      expect((await readLines(path)).at(-1)).toMatchObject({ end: true });
    }
  });
});
