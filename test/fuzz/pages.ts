import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Reading, Source } from "../../src/sources/source.ts";
import { patientCycleAt } from "../fixtures/machines/cycle.ts";
import { lineOf, sourceOf } from "../remote.ts";
import type { Chance } from "./chance.ts";
import type { Fuzzed } from "./kind.ts";
import { checkReading } from "./sound.ts";
import { mutatedText } from "./text_mutations.ts";

/** What nodes answer, through a real server and the source that asks it: pages of metrics, and frames of an API. */

const FIXTURES = join(import.meta.dir, "../fixtures/exporters");
const MOST_BYTES = 1 << 20;
const HEADERS = ["text/plain; version=0.0.4", "application/json", "application/openmetrics-text", ""] as const;

/** A source is asked so often before another one takes its place: what it keeps must not grow. */
const CASES_PER_SOURCE = 200;

interface Answer {
  readonly body: Buffer;
  readonly type: string;
}

export const openPages = async (): Promise<Fuzzed> => {
  const pages = readdirSync(FIXTURES).filter((name) => name.endsWith(".metrics"));
  return served(
    "/metrics",
    pages.map((name) => readFileSync(join(FIXTURES, name))),
  );
};

export const openSnapshots = async (): Promise<Fuzzed> => {
  const frame = lineOf({});
  const escaped = lineOf({ hostname: 'a"\\\u001b[31m', errors: ["gpu: \u202e", "x".repeat(9000)] });
  return served(
    "/snapshot",
    [frame, escaped, JSON.stringify(JSON.parse(frame), null, 2)].map((text) => Buffer.from(text)),
  );
};

function served(path: string, samples: readonly Buffer[]): Fuzzed {
  let answer: Answer = { body: Buffer.alloc(0), type: "" };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === path
        ? new Response(answer.body, { headers: answer.type === "" ? {} : { "content-type": answer.type } })
        : new Response("", { status: 404 }),
  });
  const open = (): Source => sourceOf([`127.0.0.1:${server.port}`], { perCore: true });
  let source = open();
  let cases = 0;
  const runCase = async (chance: Chance): Promise<string> => {
    if (++cases % CASES_PER_SOURCE === 0) {
      source.close?.();
      source = open();
    }
    answer = { body: mutatedText(samples, MOST_BYTES, chance), type: chance.pick(HEADERS) };
    // Whoever answered garbage is asked again after two seconds.
    return outcome(await source.read(patientCycleAt(cases * 3000)));
  };
  const close = (): void => {
    source.close?.();
    server.stop(true);
  };
  return { runCase, most_ms: 1000, [Symbol.dispose]: close };
}

function outcome(reading: Reading): string {
  const { scrapes = [] } = checkReading(reading);
  return scrapes[0]?.up ? "understood" : (scrapes[0]?.error ?? "not asked");
}
