import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { readSecretFile, readTextFile, readToken } from "./secret_file.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, mode: number): string {
  const path = join(folder, `${Bun.randomUUIDv7()}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const complaint = (read: () => string): string => {
  try {
    return `read ${read()}`;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message.replace(/^--x \S+: /, "");
  }
};

test.each([0o400, 0o600, 0o440, 0o640])("a secret of mode %o is read", (mode) => {
  expect(readSecretFile("--x", file("key", mode))).toBe("key");
});

test.each([0o644, 0o660, 0o620, 0o604, 0o602, 0o601, 0o777])("a secret of mode %o is refused", (mode) => {
  const octal = mode.toString(8).padStart(4, "0");
  expect(complaint(() => readSecretFile("--x", file("key", mode)))).toBe(
    `others may read or write it (mode ${octal}): chmod 600`,
  );
});

test("what is no secret may be read by all", () => {
  expect(readTextFile("--x", file("cert", 0o644))).toBe("cert");
});

test("what is no file is said to be none", () => {
  expect(complaint(() => readTextFile("--x", join(folder, "missing")))).toBe("no such file or directory");
  expect(complaint(() => readTextFile("--x", folder))).toBe("is no regular file");
});

test.each([
  ["token\n", "token"],
  ["  token  \r\n", "token"],
  ["", null],
  ["\n \n", null],
  ["two words", null],
  ["two\nlines", null],
  ["tök", null],
])("a token file of %p", (text, expected) => {
  const read = complaint(() => readToken("--x", file(text, 0o600)));
  if (expected === null) expect(read).toMatch(/^(is empty|a token is one word of ASCII characters)$/);
  else expect(read).toBe(`read ${expected}`);
});
