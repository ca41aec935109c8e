import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Fields } from "../src/frame/field.ts";
import { eventFields, scrapeFields, sections } from "../src/frame/schema.ts";

const document = readFileSync(resolve(import.meta.dir, "../docs/format.md"), "utf8");

/** The names of keys stand in code spans, alone or as `{"a","b"}`. */
const named = new Set(Array.from(document.matchAll(/`([^`\n]+)`/g), (span) => span[1]?.match(/\w+/g) ?? []).flat());

function keysOf(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([key, field]) => [key, ...keysOf(field.fields ?? {})]);
}

test("docs/format.md names every key of the schema", () => {
  const tables: Fields[] = [...Object.values(sections), scrapeFields, eventFields];
  const keys = [...Object.keys(sections), ...tables.flatMap(keysOf)];
  expect(keys.length).toBeGreaterThan(150);
  expect(keys.filter((key) => !named.has(key))).toEqual([]);
});
