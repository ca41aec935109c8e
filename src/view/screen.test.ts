import { expect, test } from "bun:test";
import { MemoryCursor } from "../../test/memory_cursor.ts";
import { lastingNote } from "./screen.ts";

test("what lasts on the status line: lines that were skipped, and conditions that found no room", () => {
  const cursor = new MemoryCursor([]);
  expect(lastingNote(cursor)).toBeNull();
  cursor.refusedKinds.set("throttle", 608);
  expect(lastingNote(cursor)).toBe("608 conditions not recorded, too many at once: throttle (608)");
  cursor.refusedKinds.set("power", 2);
  cursor.skipped.set("a line that is no frame", 1);
  expect(lastingNote(cursor)).toBe(
    "1 line skipped: a line that is no frame (1); 610 conditions not recorded, too many at once: throttle (608), power (2)",
  );
  cursor.refusedKinds.clear();
  cursor.refusedKinds.set("link", 1);
  cursor.skipped.clear();
  expect(lastingNote(cursor)).toBe("1 condition not recorded, too many at once: link (1)");
});
