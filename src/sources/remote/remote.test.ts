import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pageBytes } from "../../../test/exporter_pages.ts";
import { nvidiaFrame } from "../../../test/frames.ts";
import { api, closeHosts, exporter, rawHost, response } from "../../../test/hosts.ts";
import { closeSources, dcgm, freePort, lineOf, outcomeOf, read, scrapeOf, sourceOf } from "../../../test/remote.ts";

setDefaultTimeout(60_000);
afterEach(closeSources);
afterAll(closeHosts);

const node = () => pageBytes("node_exporter_made_1");

describe("our own API", () => {
  test("is preferred, and nothing of a device is lost", async () => {
    const host = await api(() => lineOf({}));
    const source = sourceOf([host.id], { perCore: true });
    const reading = await read(source);
    await read(source);
    expect(host.asked).toEqual(
      Array(2).fill("/snapshot?include=gpus,cpus,memory,chassis,processes,storage&without=host_processes"),
    );
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

  test("a page behind many comments", async () => {
    const comments = "# HELP a metric of which there is nothing\n".repeat(8000);
    const host = await exporter(Buffer.concat([Buffer.from(comments), dcgm()]));
    expect((await read(sourceOf([host.id]))).gpus).toHaveLength(2);
  });

  test("more devices than any machine has are cut, and it is said", async () => {
    const rows = Array.from({ length: 300 }, (_, n) => `DCGM_FI_DEV_GPU_UTIL{gpu="${n}",UUID="GPU-${n}"} 1\n`);
    const host = await exporter(rows.join(""));
    const reading = await read(sourceOf([host.id]));
    expect(reading.gpus).toHaveLength(256);
    expect(reading.errors).toEqual([`gpus@${host.id}: more than 256: the rest is left out`]);
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
