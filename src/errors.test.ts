import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemWords } from "./errors.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-errors-"));

function wordsOf(what: () => void): string {
  try {
    what();
  } catch (error) {
    return systemWords(error);
  }
  return "nothing went wrong";
}

test("what the system says is wrong is said in words, without a code or a call", () => {
  symlinkSync("loop", join(folder, "loop"));
  expect([
    wordsOf(() => mkdirSync(folder)),
    wordsOf(() => rmdirSync(folder)),
    wordsOf(() => readFileSync(folder)),
    wordsOf(() => readFileSync(join(folder, "none"))),
    wordsOf(() => readFileSync(join(folder, "loop"))),
    wordsOf(() => readFileSync(join(folder, "x".repeat(300)))),
    wordsOf(() => readdirSync("/dev/null")),
  ]).toEqual([
    ...["is there already", "directory not empty", "is a directory", "no such file or directory"],
    ...["is a symbolic link", "name too long", "not a directory"],
  ]);
  rmSync(folder, { recursive: true });
});

test("what has no words of ours keeps its own, as one line", () => {
  expect(systemWords(new Error("a\n  b"))).toBe("a b");
  expect(systemWords(Object.assign(new Error("odd"), { code: "EODD" }))).toBe("odd");
});
