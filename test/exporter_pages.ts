import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { History, PageContext, Told } from "../src/sources/remote/dialects/dialect.ts";
import { Page, type Problem } from "../src/sources/remote/page.ts";

const FOLDER = join(import.meta.dir, "fixtures/exporters");

/** The bytes of a page in fixtures/exporters. */
export const pageBytes = (name: string): Uint8Array => readFileSync(join(FOLDER, `${name}.metrics`));

const pageContext = (given: Partial<PageContext> = {}): PageContext => ({
  time: "2026-04-18 21:02:06",
  t_ms: Date.parse("2026-04-18T12:02:06Z"),
  monotonic_ms: 0,
  history: {},
  perCore: false,
  ...given,
});

/** What a text tells, or why it tells nothing. */
export function readPage(text: string | Uint8Array, given: Partial<PageContext> = {}): Told | Problem {
  const page = new Page();
  page.feed(typeof text === "string" ? new TextEncoder().encode(text) : text);
  return page.finish(pageContext(given));
}

/** What a page of fixtures/exporters tells. */
export function toldBy(name: string, given: Partial<PageContext> = {}): Told {
  const told = readPage(pageBytes(name), given);
  if (typeof told === "string") throw new Error(`${name}: ${told}`);
  return told;
}

/** Two pages of one endpoint, so many ms apart: what the second one tells. */
export function toldByTwo(first: string, second: string, apart_ms: number): Told {
  const history: History = {};
  toldBy(first, { history });
  return toldBy(second, { history, monotonic_ms: apart_ms });
}
