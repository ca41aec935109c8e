import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProcText, writeText } from "./libc.ts";

test.skipIf(process.platform !== "linux")("a text of /proc is read to its end; one that is not there is empty", () => {
  expect(readProcText("/proc/self/cmdline")).toBe(readFileSync("/proc/self/cmdline", "utf8"));
  expect(readProcText("/proc/self/nothing")).toBe("");
});

test("a text that comes in several pieces is whole, also where one ends within a character", () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-libc-"));
  try {
    const path = join(folder, "text");
    const text = `a${"ü".repeat(20_000)}`;
    writeFileSync(path, text);
    expect(readProcText(path)).toBe(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a text is written when the call returns, and lost where nothing can be written", () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-libc-"));
  try {
    const path = join(folder, "text");
    const fd = openSync(path, "w");
    writeText(fd, "überall\n");
    writeText(fd, "");
    closeSync(fd);
    expect(readFileSync(path, "utf8")).toBe("überall\n");
    writeText(-1, "nowhere\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
