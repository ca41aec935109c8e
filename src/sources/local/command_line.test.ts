import { expect, test } from "bun:test";
import fc from "fast-check";
import { cleanText } from "../../frame/clean_text.ts";
import { commandText, MAX_COMMAND_BYTES, shownCommand } from "./command_line.ts";

const cmdline = (...argv: string[]) => Buffer.from(argv.map((argument) => `${argument}\0`).join(""));

test("arguments are joined by spaces, masked or in full", () => {
  const bytes = cmdline("run", "--token", "a b", "", "x");
  expect(commandText(bytes, "masked")).toBe("run --token ***  x");
  expect(commandText(bytes, "full")).toBe("run --token a b  x");
});

test.each([[Buffer.alloc(0)], [Buffer.from("\0\0\0")], [Buffer.from("  \0")]])("%j shows nothing", (bytes) => {
  expect(commandText(bytes, "masked")).toBeNull();
});

test("a title written over the arguments, padded with NULs, keeps its text only", () => {
  expect(commandText(Buffer.from("nginx: worker process\0\0\0\0\0"), "masked")).toBe("nginx: worker process");
});

test("control characters and what turns the writing direction become spaces", () => {
  expect(commandText(cmdline("a\nb\x1b[31m", "c\u202ed\u2028e\x85f\x7f"), "full")).toBe("a b [31m c d e f");
});

test("bytes that are no UTF-8, and half surrogates, become the replacement character", () => {
  expect(commandText(Buffer.from([0x61, 0xff, 0xc3, 0]), "full")).toBe("a\ufffd\ufffd");
});

test("a long command line is cut at a whole character", () => {
  const text = commandText(cmdline("run", "é€😀".repeat(100)), "full") ?? "";
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_COMMAND_BYTES);
  expect(Buffer.byteLength(text)).toBeGreaterThan(MAX_COMMAND_BYTES - 4);
  expect(text).not.toContain("\ufffd");
});

test("a cut reveals nothing: what it leaves open is masked to its end", () => {
  const long = "x".repeat(9000);
  expect(commandText(cmdline("run", "--token", `a ${long}`, "y"), "masked")).toBe("run --token ***");
  expect(commandText(cmdline("run", "--token", long, `postgres://me:hidden${long}@h`), "masked")).toBe(
    "run --token ***",
  );
  expect(commandText(cmdline("run", `postgres://me:hidden${long}@h`), "masked")).toBe("run ***");
  expect(commandText(cmdline(`${long}`), "masked")).toBe("***");
  expect(commandText(cmdline(`--token=${"y".repeat(8170)}`, `postgres://me:hidden${long}@h`), "masked")).toBe(
    "--token=***",
  );
});

test("what another machine serves is masked likewise", () => {
  const open = cleanText(`run --token=${"y".repeat(8150)} postgres://me:hidden${"x".repeat(100)}@h`);
  expect(shownCommand(open, "masked")).toBe("run --token=***");
  expect(shownCommand(cleanText(`run -x "${"é".repeat(5000)}`), "masked")).toBe("run -x ***");
  expect(shownCommand("run --token a", "masked")).toBe("run --token ***");
  expect(shownCommand(`run ${"z".repeat(600)}`, "full")).toBe(`run ${"z".repeat(508)}`);
});

test("any bytes give one line of well-formed text within the limit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000, size: "max" }), (bytes) => {
      const text = commandText(bytes, "masked") ?? "";
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toMatch(/\p{Cc}/u);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_COMMAND_BYTES);
    }),
  );
});
