import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeText } from "./libc.ts";

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
