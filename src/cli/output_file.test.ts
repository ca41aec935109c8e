import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { checkOutputPath, writeOutputFile } from "./output_file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "all-smi-output-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a new file has the mode that the umask leaves it, and nothing else is left in the folder", async () => {
  const path = join(folder, "a.json");
  checkOutputPath(path);
  const umask = process.umask(0o027);
  try {
    await writeOutputFile(path, "{}\n");
  } finally {
    process.umask(umask);
  }
  expect(readFileSync(path, "utf8")).toBe("{}\n");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder)).toEqual(["a.json"]);
});

test.each([0o600, 0o644, 0o664, 0o400])(
  "a regular file is replaced as a whole, and keeps its mode %o",
  async (mode) => {
    const path = join(folder, "a.json");
    writeFileSync(path, "something that is much longer");
    chmodSync(path, mode);
    checkOutputPath(path);
    await writeOutputFile(path, "{}\n");
    expect(readFileSync(path, "utf8")).toBe("{}\n");
    expect(statSync(path).mode & 0o777).toBe(mode);
  },
);

test("links, folders, devices and missing folders are refused", () => {
  writeFileSync(join(folder, "target"), "kept");
  symlinkSync("target", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  mkdirSync(join(folder, "sub"));
  const refused = ["link", "dangling", "sub", "missing/a.json", "target/a.json", "a".repeat(300)].map((name) =>
    join(folder, name),
  );
  for (const path of [...refused, "/dev/null", ""]) expect(() => checkOutputPath(path)).toThrow(UsageError);
});

test("a link that appears after the check is replaced, not followed", async () => {
  const target = join(folder, "target");
  const path = join(folder, "link");
  writeFileSync(target, "kept");
  symlinkSync("target", path);
  await writeOutputFile(path, "{}\n");
  expect(readFileSync(target, "utf8")).toBe("kept");
  expect(() => readlinkSync(path)).toThrow();
});

test("where the rename fails, the folder is left as it was", async () => {
  const path = join(folder, "sub");
  mkdirSync(join(path, "inner"), { recursive: true });
  await expect(writeOutputFile(path, "{}\n")).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(["sub"]);
});

test("a folder behind a link is taken", async () => {
  mkdirSync(join(folder, "real"));
  symlinkSync("real", join(folder, "alias"));
  const path = join(folder, "alias", "a.json");
  checkOutputPath(path);
  await writeOutputFile(path, "{}\n");
  expect(readdirSync(join(folder, "real"))).toEqual(["a.json"]);
});
