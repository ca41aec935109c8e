import { expect, test } from "bun:test";
import type { SectionName } from "../../frame/schema.ts";
import { type Asked, hostnameOf, Machines } from "./machines.ts";
import { parseEndpoint } from "./target.ts";

const GPUS: readonly SectionName[] = ["gpus"];
const MACHINE: readonly SectionName[] = ["cpus", "memory", "storage"];

/** An endpoint that has answered with devices of these sections; `null`: it has not answered yet. */
function asked(address: string, sections: readonly SectionName[] | null, hostname: string | null = null) {
  const endpoint = parseEndpoint(address);
  if (typeof endpoint === "string") throw new Error(endpoint);
  const told = { sections: {}, hostname };
  const scraper = {
    endpoint,
    provides: sections && new Set(sections),
    last: sections
      ? { told, latency_ms: 1, error: null }
      : ({ told: null, latency_ms: null, error: "timeout" } as const),
  };
  return { target: { host_id: address, name: null, endpoints: [endpoint] }, scrapers: [scraper] };
}

const joined = (...all: Asked[]): string[][] =>
  new Machines(all)
    .now()
    .map(({ host_id, scrapers }) => [host_id, ...scrapers.slice(1).map(({ endpoint }) => `${endpoint.port}`)]);

test("node_exporter and dcgm-exporter of one address are one host, under the first one's id", () => {
  expect(joined(asked("dgx-1:9100", MACHINE), asked("dgx-2:9100", MACHINE), asked("dgx-1:9400", GPUS))).toEqual([
    ["dgx-1:9100", "9400"],
    ["dgx-2:9100"],
  ]);
});

test("two that tell the same are two hosts; a third joins the one whose part it is", () => {
  expect(joined(asked("a:1", GPUS), asked("a:2", GPUS), asked("a:3", MACHINE), asked("a:4", MACHINE))).toEqual([
    ["a:1", "3"],
    ["a:2", "4"],
  ]);
});

test("ports of this machine may be anybody's", () => {
  for (const host of ["localhost", "127.0.0.1", "127.3.2.1", "[::1]"]) {
    expect(joined(asked(`${host}:9100`, MACHINE), asked(`${host}:9400`, GPUS))).toHaveLength(2);
  }
});

test("one that has not answered yet stands alone until it has", () => {
  const late = asked("a:9400", null);
  const machines = new Machines([asked("a:9100", MACHINE), late]);
  expect(machines.now()).toHaveLength(2);
  late.scrapers.splice(0, 1, ...asked("a:9400", GPUS).scrapers);
  expect(machines.now()).toHaveLength(1);
  expect(machines.now()).toBe(machines.now());
});

test("a name that was given is the host's; names that say nothing are not taken", () => {
  const named = (hostname: string | null, name: string | null = null, address = "dgx-1:9100") => {
    const { target, scrapers } = asked(address, MACHINE, hostname);
    return { host_id: target.host_id, name, scrapers };
  };
  expect(hostnameOf(named("node-7"), undefined)).toBe("node-7");
  expect(hostnameOf(named("node-7", "mine"), "before")).toBe("mine");
  expect(hostnameOf(named("localhost"), undefined)).toBe("dgx-1");
  expect(hostnameOf(named("10.2.3.4"), undefined)).toBe("dgx-1");
  expect(hostnameOf(named(null), "before")).toBe("before");
  expect(hostnameOf(named(null, null, "127.0.0.1:20001/metrics"), undefined)).toBe("127.0.0.1:20001");
});
