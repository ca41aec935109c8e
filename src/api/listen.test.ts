import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frameNumber, openApi } from "../../test/api.ts";
import { UsageError } from "../errors.ts";
import { frameLine } from "../frame/encode.ts";
import { type Listener, listenTcp, listenUnix, type Tls } from "./listen.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "all-smi-listen-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const listeners: Listener[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of listeners.splice(0)) await one.stop();
});

function serve(api = openApi(), tls: Tls | null = null): Listener {
  const listener = listenTcp(api.app, { hostname: "127.0.0.1", port: 0, tls });
  listeners.push(listener);
  return listener;
}

async function serveUnix(path: string, api = openApi()): Promise<Listener> {
  const listener = await listenUnix(api.app, path);
  listeners.push(listener);
  return listener;
}

const complaint = async (listen: () => Listener | Promise<Listener>): Promise<string> => {
  try {
    listeners.push(await listen());
    return "listens";
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message;
  }
};

/** A connection that says only what it is told to. */
function dial({ where }: Listener): Socket {
  const socket = connect(Number(new URL(where).port), "127.0.0.1");
  // That it is cut off is what some tests are for.
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

/** What comes back for bytes as they stand. */
async function raw(listener: Listener, text: string): Promise<string> {
  const socket = dial(listener);
  let answer = "";
  socket.on("data", (data) => {
    answer += data.toString();
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(text);
  await Promise.race([closed, Bun.sleep(5000)]);
  return answer;
}

const until = async (ask: () => boolean): Promise<void> => {
  for (let n = 0; n < 3000 && !ask(); n++) await Bun.sleep(10);
  expect(ask()).toBe(true);
};

describe("a port", () => {
  test("is another program's while one listens there", async () => {
    const { where } = serve();
    const port = Number(new URL(where).port);
    const listen = () => listenTcp(openApi().app, { hostname: "127.0.0.1", port, tls: null });
    expect(await complaint(listen)).toBe(`cannot listen on 127.0.0.1 port ${port}: another program listens there`);
    // In a process of its own, whose kernel objects are not shared with ours.
    const script = `const { listenTcp } = await import(${JSON.stringify(join(import.meta.dir, "listen.ts"))});
      listenTcp({ fetch: () => new Response() }, { hostname: "127.0.0.1", port: ${port}, tls: null });`;
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, "-e", script]);
    expect([exitCode, stderr.toString()]).toEqual([1, expect.stringContaining("another program listens there")]);
  });

  test.each(["203.0.113.7", "no.such.host.invalid"])("on %s cannot be had", async (hostname) => {
    const listen = () => listenTcp(openApi().app, { hostname, port: 0, tls: null });
    expect(await complaint(listen)).toBe(`cannot listen on ${hostname} port 0: this machine has no such address`);
  });
});

describe("a request without a host, as HTTP/1.0 has it", () => {
  test.each([
    ["/-/healthy", "200"],
    ["/-/ready?a=1", "503"],
    ["/snapshot?include=rubbish", "400"],
    ["/none", "404"],
  ])("%s", async (path, status) => {
    expect(await raw(serve(), `GET ${path} HTTP/1.0\r\nConnection: close\r\n\r\n`)).toStartWith(`HTTP/1.1 ${status} `);
  });
});

describe("a Unix socket", () => {
  test("is its owner's only, answers, and is gone afterwards", async () => {
    const path = join(folder, "a.sock");
    const api = openApi();
    const before = process.umask();
    const listener = await serveUnix(path, api);
    expect([statSync(path).mode & 0o777, process.umask()]).toEqual([0o600, before]);
    api.cycle();
    expect(await (await fetch("http://localhost/snapshot", { unix: path })).text()).toBe(
      `${frameLine(frameNumber(0))}\n`,
    );
    await listener.stop();
    expect(existsSync(path)).toBe(false);
  });

  test("of a program that was killed is replaced", async () => {
    const path = join(folder, "stale.sock");
    const script = `Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response() }); process.kill(process.pid, 9);`;
    Bun.spawnSync([process.execPath, "-e", script]);
    expect(existsSync(path)).toBe(true);
    await serveUnix(path);
    expect((await fetch("http://localhost/-/healthy", { unix: path })).status).toBe(200);
  });

  test("of a program that runs is left alone", async () => {
    const path = join(folder, "live.sock");
    await serveUnix(path);
    expect(await complaint(() => listenUnix(openApi().app, path))).toBe(`${path}: another program listens there`);
    expect((await fetch("http://localhost/-/healthy", { unix: path })).status).toBe(200);
  });

  test("takes the place of no file", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "mine");
    expect(await complaint(() => listenUnix(openApi().app, path))).toBe(`${path}: is there, and is no socket`);
    expect(readFileSync(path, "utf8")).toBe("mine");
    const missing = join(folder, "missing", "a.sock");
    expect(await complaint(() => listenUnix(openApi().app, missing))).toBe(
      `cannot listen on ${missing}: no such file or directory`,
    );
  });
});

describe("TLS", () => {
  test("serves by the certificate that was given", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", cert];
    const made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    expect(Bun.spawnSync([...made, ...subject, ...files]).exitCode).toBe(0);
    const tls = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
    const api = openApi();
    api.cycle();
    const { where } = serve(api, tls);
    expect(where).toStartWith("https://127.0.0.1:");
    const response = await fetch(`${where}/metrics`, { tls: { ca: tls.cert } });
    expect(await response.text()).toContain("all_smi_up{");
    expect(fetch(`${where}/metrics`)).rejects.toThrow("self signed certificate");
    expect(
      await raw({ where, stop: async () => {} }, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ).not.toContain("all_smi");
  });

  test("is refused with what is no certificate", async () => {
    const listen = () => listenTcp(openApi().app, { hostname: "127.0.0.1", port: 0, tls: { cert: "a", key: "b" } });
    expect(await complaint(listen)).toStartWith("TLS: ");
  });
});

describe("under load", () => {
  test("200 scrapes at once get one and the same text", async () => {
    const api = openApi();
    api.cycle();
    const { where } = serve(api);
    const texts = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const headers = { "accept-encoding": ["gzip", "zstd", "identity"][n % 3] ?? "" };
        return await (await fetch(`${where}/metrics`, { headers })).text();
      }),
    );
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain("all_smi_cpu_utilization");
  });

  test("connections that never finish asking keep nobody else waiting, and are cut off", async () => {
    const api = openApi();
    api.cycle();
    const listener = serve(api);
    for (let n = 0; n < 200; n++) dial(listener).write("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-");
    const isOpen = () => sockets.some((socket) => !socket.closed);
    for (let n = 0; n < 20 || isOpen(); n++) {
      expect((await fetch(`${listener.where}/metrics`)).status).toBe(200);
      for (const socket of sockets) if (!socket.closed) socket.write("a");
      await Bun.sleep(n < 20 ? 0 : 500);
    }
  });

  test("an event client that reads nothing is cut off, while others get every frame", async () => {
    const api = openApi();
    api.cycle();
    const listener = serve(api);
    const slow = dial(listener);
    slow.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await new Promise((resolve) => slow.once("data", resolve));
    slow.pause();
    const well = await fetch(`${listener.where}/events`);
    let frames = 0;
    const reading = (async () => {
      let rest = "";
      for await (const chunk of well.body ?? []) {
        const parts = (rest + Buffer.from(chunk).toString()).split("event: snapshot\n");
        frames += parts.length - 1;
        rest = parts.at(-1)?.slice(-20) ?? "";
      }
    })();
    const clients = async () =>
      Number(/^all_smi_event_clients{.*} (.*)$/m.exec(await (await fetch(`${listener.where}/metrics`)).text())?.[1]);
    // What the kernel takes for the slow one must be filled first.
    const isAlone = async () => {
      api.cycle();
      return (await clients()) === 1;
    };
    let cycles = 1;
    while (!(await isAlone())) cycles++;
    expect(cycles).toBeGreaterThan(64);
    const last = cycles + 1;
    await until(() => frames >= last);
    const closed = new Promise<void>((resolve) => slow.on("close", () => resolve()));
    slow.resume();
    await closed;
    api.feed.close();
    await reading;
    expect(frames).toBe(last);
  });
});

describe("a request that is none", () => {
  test.each([
    [
      "endless headers",
      `GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(1 << 20)}\r\n\r\n`,
      /^HTTP\/1.1 431 /,
    ],
    [
      "an endless path",
      `GET /${"a".repeat(1 << 20)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      /^(HTTP\/1.1 (431|414|400) |$)/,
    ],
    ["rubbish", "\u0000\u0001\u0002\r\n\r\n", /^(HTTP\/1.1 400 |$)/],
    [
      "a large body",
      `POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n`,
      /^HTTP\/1.1 (413|405) /,
    ],
    [
      "another path behind dots",
      "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      /^HTTP\/1.1 404 /,
    ],
    [
      "a coded path",
      "GET /%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      /^HTTP\/1.1 404 /,
    ],
    [
      "an absolute target",
      "GET http://b/etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      /^HTTP\/1.1 (404|400) /,
    ],
  ])("%s is refused, and the next one is answered", async (_, text, expected) => {
    const listener = serve();
    expect(await raw(listener, text)).toMatch(expected);
    expect((await fetch(`${listener.where}/-/healthy`)).status).toBe(200);
  });
});

test("stopping cuts streams and idle connections at once", async () => {
  const api = openApi();
  api.cycle();
  const listener = serve(api);
  const stream = await fetch(`${listener.where}/events`);
  await (await fetch(`${listener.where}/metrics`)).text();
  api.feed.close();
  await listener.stop();
  expect(await stream.text()).toContain("event: snapshot");
  expect(fetch(`${listener.where}/metrics`)).rejects.toThrow();
});
