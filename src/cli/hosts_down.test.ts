import { expect, test } from "bun:test";
import type { Scrape } from "../frame/schema.ts";
import { hostsDown } from "./hosts_down.ts";

const scrape = (n: number, error: string | null): Scrape => ({
  host: `node-${n}:9090`,
  hostname: `node-${n}`,
  up: error === null,
  latency_ms: error === null ? 1 : null,
  error,
});

test("hosts that are all up are nothing to speak of", () => {
  expect(hostsDown([])).toBeNull();
  expect(hostsDown([scrape(1, null)])).toBeNull();
});

test("those that are down are named by what is wrong, a few of each", () => {
  const scrapes = [
    scrape(1, null),
    scrape(2, "timeout"),
    ...[3, 4, 5, 6, 7].map((n) => scrape(n, "connection refused")),
    scrape(8, "timeout"),
  ];
  expect(hostsDown(scrapes)).toBe(
    "7 of 8 hosts down: timeout (node-2:9090, node-8:9090); " +
      "connection refused (node-3:9090, node-4:9090, node-5:9090, 2 more)",
  );
});

test("a token that is not theirs is said to be that", () => {
  expect(hostsDown([scrape(1, "HTTP 401")])).toBe(
    "1 of 1 host down: HTTP 401 (node-1:9090): --token-file has to hold the token that they want",
  );
});
