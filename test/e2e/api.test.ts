import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, type Started, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const MOCK = ["--source", "mock", "--mock", "1x2", "-i", "1"] as const;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return Number(port);
}

const api = (...options: string[]): Started => start([...PROGRAM, "api", ...options]);

interface Served {
  readonly started: Started;
  readonly url: string;
}

/** The program on a port, once its first cycle is over. */
async function serve(...options: string[]): Promise<Served> {
  const port = await freePort();
  const started = api("--port", String(port), ...options);
  const url = `http://127.0.0.1:${port}`;
  await until("it is ready", async () => {
    if (started.child.exitCode !== null) throw new Error(started.said());
    return (await fetch(`${url}/-/ready`).catch(() => null))?.ok ?? false;
  });
  return { started, url };
}

const json = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

/** Commands of Debian's package `prometheus`, which not every machine has. */
const missing = ["promtool", "prometheus"].filter((command) => Bun.which(command) === null);
const describeWithPrometheus = missing.length === 0 ? describe : describe.skip;
if (missing.length > 0) console.warn(`no ${missing.join(", ")} here: Prometheus itself is not asked`);

describe("the program", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`serves until ${signal}, and leaves with 0`, async () => {
      const socket = join(folder, `${signal}.sock`);
      const { started, url } = await serve(...MOCK, "--socket", socket);
      const stream = await fetch(`${url}/events`);
      expect((await fetch("http://localhost/-/ready", { unix: socket })).status).toBe(200);
      started.child.kill(signal);
      expect(await stream.text()).toContain("event: snapshot\n");
      const { code, out, err } = await started.ended;
      expect({ code, out, err }).toEqual({
        code: 0,
        out: "",
        err: `all-smi: listening on ${url}\nall-smi: listening on ${socket}\n`,
      });
      expect(existsSync(socket)).toBe(false);
    });
  }

  test("leaves with one line and 2 where another program has the port", async () => {
    const { url } = await serve(...MOCK);
    const { port } = new URL(url);
    const { code, err } = await api(...MOCK, "--port", port).ended;
    expect({ code, err }).toEqual({
      code: 2,
      err: `all-smi: cannot listen on 127.0.0.1 port ${port}: another program listens there\n`,
    });
  });

  test("reads this machine, and tells how each reader did", async () => {
    const { url } = await serve("-i", "1");
    const text = await (await fetch(`${url}/metrics`)).text();
    const sources = [...text.matchAll(/^all_smi_source_success{.*source="(\w+)"} 1$/gm)].map(([, name]) => name);
    expect(sources).toEqual(expect.arrayContaining(["cpu", "memory"]));
    expect(text).toMatch(/^all_smi_memory_total_bytes{.*} [1-9]\d+$/m);
  });
});

describe("processes", () => {
  const isServed = async ({ url }: Served) => "processes" in (await json<object>(`${url}/snapshot`));

  test("are served where that is asked for", async () => {
    expect(await isServed(await serve(...MOCK))).toBe(false);
    const served = await serve(...MOCK, "--processes", "3");
    const { processes } = await json<{ processes: { uses_gpu: boolean }[] }>(`${served.url}/snapshot`);
    expect(processes.filter((one) => !one.uses_gpu).length).toBeLessThanOrEqual(3);
    expect(processes.length).toBeGreaterThan(0);
    expect(await isServed(await serve(...MOCK, "--include", "gpu,process"))).toBe(true);
  });

  test("are not served to a whole network without a token, which is said", async () => {
    const served = await serve(...MOCK, "--listen", "0.0.0.0", "--processes");
    expect(await isServed(served)).toBe(false);
    expect(served.started.said()).toContain("processes are left out: with --listen 0.0.0.0 and no --token-file");
    expect(served.started.said()).toContain("anybody who reaches this port can read what it serves");
  });

  test("are served to those who bring the token", async () => {
    const path = join(folder, "token");
    writeFileSync(path, "s3cret-token\n", { mode: 0o600 });
    const { url, started } = await serve(...MOCK, "--listen", "0.0.0.0", "--processes", "--token-file", path);
    expect((await fetch(`${url}/snapshot`)).status).toBe(401);
    const headers = { authorization: "Bearer s3cret-token" };
    expect((await (await fetch(`${url}/snapshot`, { headers })).json()) as object).toHaveProperty("processes");
    expect(started.said()).toContain("the token passes the network in the clear");
    expect(started.said()).not.toContain("s3cret");
  });
});

describe("options that will not do", () => {
  const loose = join(folder, "loose");
  writeFileSync(loose, "token");
  chmodSync(loose, 0o644);
  test.each([
    [["--port", "0"], "--port 0 goes with --socket: there is nothing to listen on"],
    [["--tls-cert", loose], "--tls-cert and --tls-key go together"],
    [
      ["--tls-cert", loose, "--tls-key", loose],
      `--tls-key ${loose}: others may read or write it (mode 0644): chmod 600`,
    ],
    [["--token-file", loose], `--token-file ${loose}: others may read or write it (mode 0644): chmod 600`],
    [["--port", "0", "--socket", ""], "--socket is empty: give a path"],
    [["--socket", loose], `${loose}: is there, and is no socket`],
  ])("%p", async (options, words) => {
    const port = options.includes("--port") ? [] : ["--port", String(await freePort())];
    const { code, err } = await api(...MOCK, ...port, ...options).ended;
    expect(code).toBe(2);
    expect(err.trimEnd().split("\n").at(-1)).toBe(`all-smi: ${words}`);
  });
});

describeWithPrometheus("Prometheus", () => {
  /** Taken over from the Rust tool, whose readers know them by these names. */
  const TAKEN_OVER = ["cpu_socket_count", "cpu_core_count", "cpu_thread_count"];

  test("finds nothing wrong with our metrics but names that were taken over", async () => {
    const { url } = await serve(...MOCK, "--processes");
    const text = await (await fetch(`${url}/metrics`)).text();
    const { stdout, stderr } = Bun.spawnSync(["promtool", "check", "metrics"], { stdin: Buffer.from(text) });
    const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
    const unexpected = complaints.filter((line) => !TAKEN_OVER.some((name) => line.startsWith(`all_smi_${name} `)));
    expect(unexpected).toEqual([]);
    // It does look.
    expect(complaints.length).toBeGreaterThan(0);
  });

  test("scrapes us", async () => {
    const { url } = await serve(...MOCK, "--processes");
    const port = await freePort();
    const config = join(folder, "prometheus.yml");
    writeFileSync(
      config,
      `scrape_configs: [{job_name: all-smi, scrape_interval: 1s, static_configs: [{targets: ["${new URL(url).host}"]}]}]`,
    );
    const paths = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, "tsdb")}`];
    start(["prometheus", ...paths, `--web.listen-address=127.0.0.1:${port}`]);
    const ask = async <T>(path: string): Promise<T | null> =>
      await json<T>(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => null);
    interface Targets {
      readonly data: { readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[] };
    }
    const target = await until("it has scraped", async () => {
      const found = (await ask<Targets>("targets"))?.data.activeTargets[0];
      return found !== undefined && found.health !== "unknown" ? found : null;
    });
    expect(target).toMatchObject({ health: "up", lastError: "" });
    interface Result {
      readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    }
    // It says that it has scraped a little before it answers from that.
    const answerTo = async (query: string) =>
      await until(query, async () => {
        const found = (await ask<Result>(`query?query=${encodeURIComponent(query)}`))?.data.result ?? [];
        return found.length > 0 ? found.map(({ value }) => value[1]) : null;
      });
    expect(await answerTo("all_smi_up")).toEqual(["1"]);
    // Of one that is lost, which follows from the time of day, there is nothing else.
    const lost = "(count(all_smi_gpu_lost_info) or vector(0))";
    expect(await answerTo(`count(all_smi_gpu_utilization) + ${lost}`)).toEqual(["2"]);
    expect(await answerTo(`count(all_smi_gpu_pcie_replays_total) + ${lost}`)).toEqual(["2"]);
  });
});
