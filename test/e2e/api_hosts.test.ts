import { afterAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import { frameLine } from "../../src/frame/encode.ts";
import { nvidiaFrame } from "../frames.ts";
import { closeHosts, api as host } from "../hosts.ts";
import { PROGRAM, type Started, start, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const MOCK = ["--source", "mock", "--mock", "1x2", "-i", "1"] as const;
const api = (...options: string[]): Started => start([...PROGRAM, "api", ...MOCK, ...options]);

async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return Number(port);
}

/** The answer to a request as it stands; `host` is the whole header line, or nothing. */
function ask(port: number, host: string, path = "/metrics"): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1", () => {
    socket.write(`GET ${path} HTTP/1.${host === "" ? "0" : "1"}\r\n${host}Connection: close\r\n\r\n`);
  });
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes.toString();
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(answer));
  return promise;
}

const statusOf = async (port: number, host: string): Promise<number> =>
  Number(/^HTTP\/1.1 (\d+)/.exec(await ask(port, `Host: ${host}\r\n`))?.[1]);

async function serve(...options: string[]): Promise<{ port: number; started: Started }> {
  const port = await freePort();
  const started = api(...options.map((option) => option.replace("PORT", String(port))));
  await until("it is ready", async () => {
    if (started.child.exitCode !== null) throw new Error(started.said());
    return (await ask(port, "", "/-/ready")).includes(" 200 ");
  });
  return { port, started };
}

describe("on a loopback address", () => {
  test("another Host than this machine is refused, and one that was named is not", async () => {
    const { port } = await serve("--port", "PORT", "--allow-host", "Proxy.invalid", "--allow-host", "10.1.2.3");
    for (const host of [
      "localhost",
      `LOCALHOST.:${port}`,
      "a.localhost",
      "127.9.9.9:1",
      "[::1]",
      "proxy.invalid:443",
    ]) {
      expect({ host, status: await statusOf(port, host) }).toEqual({ host, status: 200 });
    }
    expect(await statusOf(port, "10.1.2.3")).toBe(200);
    for (const host of [
      "evil.invalid",
      `evil.invalid:${port}`,
      "localhost.evil.invalid",
      "0.0.0.0",
      "10.1.2.4",
      "[::]",
    ]) {
      expect({ host, status: await statusOf(port, host) }).toEqual({ host, status: 403 });
    }
    for (const path of ["/snapshot", "/events", "/-/healthy", "/nothing"]) {
      const answer = await ask(port, "Host: evil.invalid\r\n", path);
      expect(answer).toStartWith("HTTP/1.1 403 ");
      expect(answer.split("\r\n\r\n")[1]?.trim()).toMatch(/^[^\n]*--allow-host[^\n]*$/);
    }
  });

  test("so it is where it is told by a name, and for those who have the token", async () => {
    const { port } = await serve("--listen", "localhost:PORT");
    expect(await statusOf(port, "evil.invalid")).toBe(403);
    expect(await statusOf(port, "localhost")).toBe(200);
  });

  test("a Unix socket and a listener on all addresses answer under any name", async () => {
    const socket = join(folder, "any.sock");
    const { port } = await serve("--listen", ":PORT", "--socket", socket);
    expect(await statusOf(port, "node-1.example.invalid")).toBe(200);
    expect((await fetch("http://evil.invalid/metrics", { unix: socket })).status).toBe(200);
  });
});

test("--listen has the port, as host:port, [v6]:port and :port", async () => {
  const { port, started } = await serve("--listen", "127.0.0.1:PORT");
  expect(started.said()).toContain(`listening on http://127.0.0.1:${port}\n`);
  const same = await serve("--listen", "127.0.0.1:PORT", "--port", "PORT");
  expect(await statusOf(same.port, "localhost")).toBe(200);
});

test.each([
  [["--listen", "127.0.0.1:"], /--listen .*Give host, host:port, \[v6\]:port or :port\.\n$/],
  [["--listen", "http://127.0.0.1"], /--listen .*Give host/],
  [["--listen", "[::1"], /--listen .*Give host/],
  [["--listen", ""], /--listen .*Give host/],
  [["--listen", "127.0.0.1:70000"], /--listen .*A port is a number from 1 to 65535/],
  [["--listen", "127.0.0.1:9", "--port", "10"], /^all-smi: --listen names port 9, and --port 10: give one of them\n$/],
  [["--allow-host", "a:1"], /--allow-host .*Give a name or an address, without a port/],
])("%j is one line and 2", async (options, words) => {
  const { code, err } = await api(...options).ended;
  expect(code).toBe(2);
  expect(err).toMatch(words);
  expect(err.trimEnd()).not.toContain("\n");
});

test("no series of a process has its command line", async () => {
  const { port } = await serve("--port", "PORT", "--processes");
  const served = JSON.parse((await ask(port, "Host: localhost\r\n", "/snapshot")).split("\r\n\r\n")[1] ?? "");
  const commands = (served.processes as { command: string }[]).map(({ command }) => command);
  expect(commands.length).toBeGreaterThan(0);
  const metrics = await ask(port, "Host: localhost\r\n");
  expect(metrics).toContain("all_smi_process_");
  expect(metrics).not.toContain("command=");
  for (const command of commands) expect(metrics).not.toContain(command);
});

test("a temperature below 0 has its series, labels are what they are, and Prometheus takes the text", async () => {
  const chassis = (nvidiaFrame.chassis ?? []).map((one) => ({ ...one, inlet_temperature: -4 }));
  const gpus = (nvidiaFrame.gpus ?? []).map((one) => ({ ...one, name: 'H{100} "x" \\ y' }));
  const one = await host(() => frameLine({ ...nvidiaFrame, chassis, gpus }));
  const command = ["snapshot", "--source", "remote", "--hosts", one.id, "--format", "prometheus"];
  const { code, out } = await start([...PROGRAM, ...command]).ended;
  expect(code).toBe(0);
  expect(out).toMatch(/^all_smi_chassis_inlet_temperature_celsius\{.*\} -4$/m);
  expect(out).toContain('gpu="H{100} \\"x\\" \\\\ y"');
  expect(out).not.toContain("command=");
  if (Bun.which("promtool") === null) return;
  const check = Bun.spawnSync(["promtool", "check", "metrics"], { stdin: Buffer.from(out) });
  expect(check.stderr.toString()).not.toMatch(/error while linting|parse/);
});
