import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { makeFolders, removeFolders } from "./folders.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-folders-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("makes those that are missing, for their owner only, and removes no others", () => {
  const there = join(folder, "there");
  mkdirSync(there);
  const made = makeFolders(join(there, "a/b"));
  expect(made).toEqual([join(there, "a"), join(there, "a/b")]);
  expect(made.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(makeFolders(join(there, "a/b"))).toEqual([]);
  removeFolders(made);
  expect([existsSync(there), existsSync(join(there, "a"))]).toEqual([true, false]);
});

test("one with something in it stays, and those above it", () => {
  const made = makeFolders(join(folder, "c/d"));
  writeFileSync(join(folder, "c/file"), "");
  removeFolders(made);
  expect([existsSync(join(folder, "c/d")), existsSync(join(folder, "c/file"))]).toEqual([false, true]);
});

test("where they cannot be made none is left", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(() => makeFolders(join(file, "e/f"))).toThrow(UsageError);
  expect(() => makeFolders(join(folder, "g", "x".repeat(300)))).toThrow("name too long");
  expect(existsSync(join(folder, "g"))).toBe(false);
});
