import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pageBytes } from "../../../test/exporter_pages.ts";
import { linuxFrame, nvidiaFrame } from "../../../test/frames.ts";
import { api, closeHosts, cycleNow, exporter, type Host, rawHost, response } from "../../../test/hosts.ts";
import { frameLine } from "../../frame/encode.ts";
import type { Frame } from "../../frame/frame.ts";
import type { Scrape } from "../../frame/schema.ts";
import type { Reading, Source } from "../source.ts";
import { readTargets } from "./hostfile.ts";
import { remoteSource } from "./remote.ts";

setDefaultTimeout(60_000);

const INCLUDE = ["gpus", "cpus", "memory", "chassis", "processes", "storage"] as const;
const WAIT_MS = 2500;

const sources = new Set<Source>();
function sourceOf(
  hosts: readonly string[],
  given: { token?: string; ca?: string; perCore?: boolean; processes?: number } = {},
): Source {
  const { token = null, ca = null, perCore = false, processes = 32 } = given;
  const source = remoteSource({
    targets: readTargets(hosts, undefined),
    include: INCLUDE,
    perCore,
    processes,
    token,
    ca,
  });
  sources.add(source);
  return source;
}

afterEach(() => {
  for (const source of sources) source.close?.();
  sources.clear();
});
afterAll(closeHosts);

const read = async (source: Source, wait_ms = WAIT_MS): Promise<Reading> => await source.read(cycleNow(wait_ms));
const scrapeOf = ({ scrapes = [] }: Reading, host = 0): Scrape | undefined => scrapes[host];
const outcomeOf = (reading: Reading, host = 0) => {
  const scrape = scrapeOf(reading, host);
  return scrape?.up ? "up" : scrape?.error;
};

const dcgm = () => pageBytes("dcgm_exporter_made");
const node = () => pageBytes("node_exporter_made_1");

const lineOf = (frame: Partial<Frame>): string => frameLine({ ...nvidiaFrame, ...frame });

/** Never an address that answers in another way than refusing: the port was just free. */
async function freePort(): Promise<number> {
  const host = await rawHost(() => {});
  await host.close();
  return host.port;
}

describe("our own API", () => {
  test("is preferred, and nothing of a device is lost", async () => {
    const host = await api(() => lineOf({}));
    const source = sourceOf([host.id], { perCore: true });
    const reading = await read(source);
    await read(source);
    expect(host.asked).toEqual(Array(2).fill("/snapshot?include=gpus,cpus,memory,chassis,processes,storage"));
    expect(host.connections).toBe(1);
    const identity = { host_id: host.id, hostname: "dgx-01", instance: host.id };
    expect(reading.gpus).toEqual((nvidiaFrame.gpus ?? []).map((gpu) => ({ ...gpu, ...identity })));
    expect(reading.cpus).toEqual((nvidiaFrame.cpus ?? []).map((cpu) => ({ ...cpu, ...identity })));
    expect(reading.storage?.[0]).toMatchObject({ host_id: host.id, hostname: "dgx-01", mount_point: "/" });
    expect(scrapeOf(reading)).toEqual({
      host: host.id,
      hostname: "dgx-01",
      up: true,
      latency_ms: expect.any(Number),
      error: null,
    });
    expect(reading.errors).toEqual([`chassis@${host.id}: psu1: no answer`]);
  });

  test("is kept small: no cores, only processes that use a GPU, the largest first", async () => {
    const [process] = nvidiaFrame.processes ?? [];
    if (process === undefined) throw new Error("the fixed frame has a process");
    const processes = Array.from({ length: 100 }, (_, pid) => ({
      ...process,
      pid,
      used_memory: pid,
      uses_gpu: pid % 2 === 0,
    }));
    const host = await api(() => lineOf({ processes }));
    const reading = await read(sourceOf([host.id]));
    expect(reading.cpus?.[0]?.per_core_utilization).toEqual([]);
    expect(reading.processes?.map(({ pid }) => pid)).toEqual(Array.from({ length: 32 }, (_, n) => 98 - 2 * n));
    expect(new Set(reading.processes?.map(({ host_id }) => host_id))).toEqual(new Set([host.id]));
  });

  test("what it heard of is told once, under the host's id", async () => {
    let seq = 1;
    const xid = {
      kind: "xid",
      severity: "critical",
      t: "2026-04-18T12:02:06.000Z",
      host: "dgx-01",
      device: "GPU-1",
      text: "XID 79",
    } as const;
    const host = await api(() => lineOf({ seq, events: [xid] }));
    const source = sourceOf([host.id]);
    expect((await read(source)).events).toEqual([{ ...xid, host: host.id }]);
    expect((await read(source)).events).toBeUndefined();
    seq = 2;
    expect((await read(source)).events).toHaveLength(1);
  });

  test("that is not ready yet is not mistaken for another exporter", async () => {
    let isReady = false;
    const host = await rawHost((socket, path) => {
      const up = 'all_smi_up{instance="a", hostname="a"} 0\n';
      if (path === "/metrics") socket.write(response("200 OK", up));
      else socket.write(isReady ? response("200 OK", lineOf({})) : response("503 Service Unavailable", "{}"));
    });
    const source = sourceOf([host.id]);
    expect(outcomeOf(await read(source))).toBe("HTTP 503");
    isReady = true;
    expect((await read(source)).gpus).toHaveLength(8);
  });

  test("of a machine that speaks for many is of no use", async () => {
    const gpus = (nvidiaFrame.gpus ?? []).map((gpu, n) => ({ ...gpu, host_id: `h${n}` }));
    const host = await api(() => lineOf({ gpus }));
    expect(outcomeOf(await read(sourceOf([host.id])))).toBe("several hosts behind it");
  });
});

describe("exporters", () => {
  test("are found by themselves, and the way is kept", async () => {
    const host = await exporter(dcgm);
    const source = sourceOf([host.id]);
    for (let n = 0; n < 3; n++) expect((await read(source)).gpus).toHaveLength(2);
    expect(host.asked.map((path) => path.split("?")[0])).toEqual(["/snapshot", "/metrics", "/metrics", "/metrics"]);
    // The one on which nothing was found is not kept.
    expect(host.connections).toBe(2);
  });

  test("a page under every path, as the Rust tool's mock has it, is read at the first", async () => {
    const host = await rawHost((socket) => socket.write(response("200 OK", pageBytes("all_smi_mock_nvidia"))));
    const reading = await read(sourceOf([host.id]));
    expect(reading.gpus).toHaveLength(8);
    expect(scrapeOf(reading)?.hostname).toBe("node-0001");
    expect(host.asked).toHaveLength(1);
  });

  test("a page in chunks, cut anywhere", async () => {
    const host = await rawHost((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const page = dcgm();
      for (let at = 0; at < page.length; at += 777) {
        const piece = page.subarray(at, at + 777);
        socket.write(`${piece.length.toString(16)}\r\n`);
        socket.write(piece);
        socket.write("\r\n");
      }
      socket.write("0\r\n\r\n");
    });
    expect((await read(sourceOf([`${host.id}/metrics`]))).gpus).toHaveLength(2);
  });

  test("several of one line are one host", async () => {
    const [gpus, machine] = [await exporter(dcgm), await exporter(node)];
    const reading = await read(sourceOf([`dgx-07=${machine.id},${gpus.id}`]));
    expect(reading.scrapes).toEqual([expect.objectContaining({ host: "dgx-07", hostname: "dgx-07", up: true })]);
    expect(reading.gpus?.map(({ host_id }) => host_id)).toEqual(["dgx-07", "dgx-07"]);
    expect(reading.cpus).toEqual([expect.objectContaining({ host_id: "dgx-07", total_threads: 4 })]);
  });

  test("a host of which a part is down is up, and what is missing is an error", async () => {
    const [gpus, port] = [await exporter(dcgm), await freePort()];
    const reading = await read(sourceOf([`dgx-07=127.0.0.1:${port},${gpus.id}`]));
    expect(scrapeOf(reading)).toMatchObject({ host: "dgx-07", up: true });
    expect(reading.errors).toEqual([`remote@dgx-07: 127.0.0.1:${port}: connection refused`]);
  });

  test("equal names stay apart by their ids", async () => {
    const [a, b] = [await exporter(dcgm), await exporter(dcgm)];
    const reading = await read(sourceOf([a.id, b.id]));
    expect(reading.scrapes?.map(({ host, hostname }) => [host, hostname])).toEqual([
      [a.id, "gpu-07"],
      [b.id, "gpu-07"],
    ]);
    expect(reading.gpus?.map(({ host_id }) => host_id)).toEqual([a.id, a.id, b.id, b.id]);
  });

  test("the CPU of node_exporter is known by the second page", async () => {
    let page = 1;
    const host = await exporter(() => pageBytes(`node_exporter_made_${page}`));
    const source = sourceOf([host.id]);
    expect((await read(source)).cpus?.[0]?.utilization).toBeNull();
    page = 2;
    expect((await read(source)).cpus?.[0]?.utilization).toBe(56.3);
    expect(source.fromTwoReadings).toBe(true);
  });

  test("the token is sent", async () => {
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ headers }) =>
        headers.get("authorization") === "Bearer s3cret" ? new Response(dcgm()) : new Response("no", { status: 401 }),
    });
    const id = `127.0.0.1:${server.port}`;
    expect(outcomeOf(await read(sourceOf([id])))).toBe("HTTP 401");
    expect(outcomeOf(await read(sourceOf([id], { token: "s3cret" })))).toBe("up");
    await server.stop(true);
  });
});

describe("TLS", () => {
  /** A certificate of its own, for the name localhost. */
  const cert = readFileSync(join(import.meta.dir, "../../../test/fixtures/tls/cert.pem"), "utf8");
  const key = readFileSync(join(import.meta.dir, "../../../test/fixtures/tls/key.pem"), "utf8");
  const server = Bun.serve({ port: 0, hostname: "localhost", tls: { cert, key }, fetch: () => new Response(dcgm()) });
  afterAll(() => server.stop(true));

  test("a host is believed if the authority given vouches for its name", async () => {
    const ask = async (host: string, ca?: string) =>
      outcomeOf(await read(sourceOf([`https://${host}:${server.port}`], ca === undefined ? {} : { ca })));
    expect(await ask("localhost", cert)).toBe("up");
    expect(await ask("localhost")).toBe("TLS: depth zero self signed cert");
    expect(await ask("127.0.0.1", cert)).toMatch(/^(TLS: cert altname invalid|connection refused)$/);
  });

  test("one that does not speak it", async () => {
    const plain = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(dcgm()) });
    expect(outcomeOf(await read(sourceOf([`https://127.0.0.1:${plain.port}`])))).toStartWith("TLS: ");
    await plain.stop(true);
  });
});

describe("hosts that do not do as they should", () => {
  const forever = (socket: { write(bytes: string): boolean; destroyed: boolean }, text: string): void => {
    const more = () => {
      if (socket.destroyed) return;
      for (let n = 0; n < 8; n++) socket.write(text);
      setTimeout(more, 1);
    };
    more();
  };
  const OK = "HTTP/1.1 200 OK\r\n";
  const cases: readonly (readonly [name: string, outcome: string | RegExp, answer: Parameters<typeof rawHost>[0]])[] = [
    ["silent", "timeout", () => {}],
    ["slow", "timeout", (socket) => void setTimeout(() => socket.write(response("200 OK", dcgm())), 20_000)],
    ["half a header", "timeout", (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-")],
    ["stops in its page", "timeout", (socket) => void socket.write(`${OK}Content-Length: 9999\r\n\r\nDCGM_FI_DEV`)],
    ["cut off", "connection closed", (socket) => void socket.end(`${OK}Content-Length: 9999\r\n\r\nDCGM_FI_DEV`)],
    ["hangs up", "connection closed", (socket) => void socket.destroy()],
    ["no HTTP", "not HTTP", (socket) => void socket.write("SSH-2.0-OpenSSH_9.6\r\n")],
    ["503", "HTTP 503", (socket) => void socket.write(response("503 Service Unavailable", "starting"))],
    ["401", "HTTP 401", (socket) => void socket.write(response("401 Unauthorized", ""))],
    [
      "redirecting",
      "redirected",
      (socket) => void socket.write(response("302 Found", "", "Location: http://127.0.0.1:1/\r\n")),
    ],
    ["a page for people", "not a metrics page", (socket) => void socket.write(response("200 OK", "<html></html>\n"))],
    ["empty", "not a metrics page", (socket) => void socket.write(response("200 OK", ""))],
    ["other JSON", "not a metrics page", (socket) => void socket.write(response("200 OK", '{"schema":1,"error":"x"}'))],
    ["bytes", "not a metrics page", (socket) => void socket.write(response("200 OK", new Uint8Array(100_000).fill(7)))],
    ["another's page", "no known exporter", (socket) => void socket.write(response("200 OK", "go_goroutines 12\n"))],
    ["says it is huge", "too large", (socket) => void socket.write(`${OK}Content-Length: 99999999999\r\n\r\nup 1\n`)],
    [
      "endless page",
      /^(too large|timeout)$/,
      (socket) => {
        socket.write(`${OK}\r\n`);
        forever(socket, "up 1\n".repeat(20_000));
      },
    ],
    [
      "endless rubbish",
      "not a metrics page",
      (socket) => {
        socket.write(`${OK}\r\n`);
        forever(socket, "rubbish ".repeat(10_000));
      },
    ],
    [
      "endless frame",
      /^(too large|timeout)$/,
      (socket) => {
        socket.write(`${OK}\r\n{"a":"`);
        forever(socket, "x".repeat(100_000));
      },
    ],
    [
      "endless header",
      "too large",
      (socket) => {
        socket.write(OK);
        forever(socket, `X-A: ${"y".repeat(10_000)}\r\n`);
      },
    ],
    [
      "a frame that would fill all frames",
      "too large",
      (socket) => {
        const [gpu] = nvidiaFrame.gpus ?? [];
        const detail = { text: "x".repeat(3 << 20) };
        socket.write(response("200 OK", lineOf({ gpus: gpu ? [{ ...gpu, detail }] : [] })));
      },
    ],
  ];

  test("keep their place with the reason, and never keep the others waiting", async () => {
    const bad = await Promise.all(cases.map(([, , answer]) => rawHost(answer)));
    const good = await Promise.all(Array.from({ length: 20 }, () => exporter(dcgm)));
    const refusing = await freePort();
    const ids = [...bad.map(({ id }) => id), `127.0.0.1:${refusing}`, ...good.map(({ id }) => id)];
    const source = sourceOf([...ids, "no-such-host.invalid"]);
    for (let n = 0; n < 2; n++) {
      const from = performance.now();
      const reading = await read(source);
      expect(performance.now() - from).toBeLessThan(WAIT_MS);
      expect(reading.scrapes?.map(({ host }) => host)).toEqual([...ids, "no-such-host.invalid:9090"]);
      for (const [at, [name, expected]] of cases.entries()) {
        const outcome = { name, outcome: outcomeOf(reading, at) };
        const wanted = typeof expected === "string" ? expected : expect.stringMatching(expected);
        expect(outcome).toEqual({ name, outcome: wanted as string });
      }
      expect(outcomeOf(reading, cases.length)).toBe("connection refused");
      expect(outcomeOf(reading, ids.length)).toMatch(/^(unknown host|timeout)$/);
      expect(reading.gpus).toHaveLength(40);
      expect(scrapeOf(reading, 0)).toMatchObject({ up: false, latency_ms: null, hostname: "127.0.0.1" });
    }
  });

  test("a redirect leads nowhere", async () => {
    const elsewhere = await exporter(dcgm);
    const host = await rawHost((socket) => {
      socket.write(response("301 Moved", "", `Location: http://${elsewhere.id}/metrics\r\n`));
    });
    expect(outcomeOf(await read(sourceOf([host.id])))).toBe("redirected");
    expect(elsewhere.asked).toEqual([]);
  });

  test("more that hang than are asked at once do not starve who answered before", async () => {
    let isHanging = false;
    const hosts = await Promise.all(
      Array.from({ length: 150 }, () =>
        rawHost((socket) => {
          if (!isHanging) socket.write(response("200 OK", lineOf({ ...linuxFrame })));
        }),
      ),
    );
    const well = await exporter(dcgm);
    const source = sourceOf([...hosts.map(({ id }) => id), well.id]);
    expect((await read(source, 10_000)).scrapes?.filter(({ up }) => up)).toHaveLength(151);
    isHanging = true;
    await read(source, 500);
    const reading = await read(source, 500);
    expect(outcomeOf(reading, 150)).toBe("up");
    expect(outcomeOf(reading, 0)).toBe("timeout");
  });
});

describe("hosts that come and go", () => {
  test("killed and started again: down at once, up at once, by the name they had", async () => {
    let host: Host = await exporter(dcgm);
    const { id, port } = host;
    const source = sourceOf([id]);
    expect(outcomeOf(await read(source))).toBe("up");
    await host.close();
    for (let n = 0; n < 6; n++) {
      const reading = await read(source);
      expect(scrapeOf(reading)).toMatchObject({ hostname: "gpu-07", up: false, error: "connection refused" });
      expect(reading.gpus).toEqual([]);
    }
    host = await exporter(dcgm, port);
    expect(outcomeOf(await read(source))).toBe("up");
  });

  test("a connection that was closed between two cycles is made again", async () => {
    const host = await rawHost((socket) => {
      socket.write(response("200 OK", dcgm()));
      setTimeout(() => socket.end(), 5);
    });
    const source = sourceOf([`${host.id}/metrics`]);
    for (let n = 0; n < 3; n++) {
      expect(outcomeOf(await read(source))).toBe("up");
      await Bun.sleep(30);
    }
    expect(host.connections).toBe(3);
  });

  test("another exporter on the same port is found", async () => {
    let host: Host = await exporter(dcgm);
    const { id, port } = host;
    const source = sourceOf([id]);
    await read(source);
    await host.close();
    await read(source);
    host = await api(() => lineOf({}), port);
    expect((await read(source)).gpus).toHaveLength(8);
  });

  test("one that hangs is asked less often, and is back soon after it answers", async () => {
    let isHanging = true;
    const host = await rawHost((socket) => {
      if (!isHanging) socket.write(response("200 OK", dcgm()));
    });
    const source = sourceOf([`${host.id}/metrics`]);
    // Cycles of 1 s, without the waiting.
    let now_ms = 0;
    const cycle = async () => {
      now_ms += 1000;
      return outcomeOf(await source.read({ ...cycleNow(60), monotonic_ms: now_ms }));
    };
    for (let n = 0; n < 20; n++) expect(await cycle()).toBe("timeout");
    expect(host.asked.length).toBeGreaterThan(4);
    expect(host.asked.length).toBeLessThan(12);
    isHanging = false;
    const outcomes = [await cycle(), await cycle(), await cycle(), await cycle(), await cycle(), await cycle()];
    expect(outcomes.at(-1)).toBe("up");
  });
});
