import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { linuxFrame, nvidiaFrame } from "../../../test/frames.ts";
import { api, closeHosts, cycleNow, exporter, type Host, rawHost, response } from "../../../test/hosts.ts";
import {
  closeSources,
  dcgm,
  freePort,
  lineOf,
  outcomeOf,
  read,
  scrapeOf,
  sourceOf,
  WAIT_MS,
} from "../../../test/remote.ts";

setDefaultTimeout(60_000);
afterEach(closeSources);
afterAll(closeHosts);

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
    [
      "compressed",
      "sends gzip, not asked for",
      (socket) => void socket.write(response("200 OK", Bun.gzipSync("up 1\n"), "Content-Encoding: gzip\r\n")),
    ],
    ["empty", "not a metrics page", (socket) => void socket.write(response("200 OK", ""))],
    ["other JSON", "not a metrics page", (socket) => void socket.write(response("200 OK", '{"schema":1,"error":"x"}'))],
    ["bytes", "not a metrics page", (socket) => void socket.write(response("200 OK", new Uint8Array(100_000).fill(7)))],
    ["another's page", "no known exporter", (socket) => void socket.write(response("200 OK", "go_goroutines 12\n"))],
    ["says it is huge", "too large", (socket) => void socket.write(`${OK}Content-Length: 99999999999\r\n\r\nup 1\n`)],
    [
      "endless page",
      /^(too large|too much to read|timeout)$/,
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
      /^(too large|too much to read|timeout)$/,
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
        const detail = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}`, "x".repeat(8000)]));
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
      // Some of them never answer: whoever waited for them would wait for ever.
      const reading = await read(source);
      expect(reading.scrapes?.map(({ host }) => host)).toEqual([...ids, "no-such-host.invalid:9090"]);
      for (const [at, [name, expected]] of cases.entries()) {
        const outcome = { name, outcome: outcomeOf(reading, at) };
        const wanted = typeof expected === "string" ? expected : expect.stringMatching(expected);
        expect(outcome).toEqual({ name, outcome: wanted as string });
      }
      expect(outcomeOf(reading, cases.length)).toBe("connection refused");
      expect(outcomeOf(reading, ids.length)).toMatch(/^(unknown host|timeout)$/);
      expect(reading.gpus).toHaveLength(40);
      expect(scrapeOf(reading, 0)).toMatchObject({ up: false, latency_ms: null, hostname: ids[0] ?? "" });
    }
  });

  test("a reading that is only for rates does not wait for one that hangs", async () => {
    const [well, silent] = [await exporter(dcgm), await rawHost(() => {})];
    const source = sourceOf([well.id, silent.id]);
    // As a cycle's reading it would take longer than the test may.
    const reading = await source.read({ ...cycleNow(600_000), isOnlyForRates: true });
    expect(outcomeOf(reading, 1)).toBe("timeout");
  });

  test("of one whose frame is too large, the page is read", async () => {
    const processes = Array.from({ length: 5000 }, (_, pid) => `{"pid":${pid},"command":"${"x".repeat(500)}"}`);
    const frame = `{"schema":1,"t":"2026-04-18T12:00:00Z","processes":[${processes}]}`;
    const host = await rawHost((socket, path) => {
      if (path === "/metrics" || path.startsWith("/snapshot")) {
        socket.write(response("200 OK", path === "/metrics" ? dcgm() : frame));
      }
    });
    const source = sourceOf([host.id]);
    for (let n = 0; n < 2; n++) expect(outcomeOf(await read(source))).toBe("up");
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
    await read(source);
    const reading = await read(source);
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
      const wait_ms = isHanging ? 200 : WAIT_MS;
      return outcomeOf(await source.read({ ...cycleNow(wait_ms), monotonic_ms: now_ms }));
    };
    for (let n = 0; n < 20; n++) expect(await cycle()).toBe("timeout");
    expect(host.asked.length).toBeGreaterThan(4);
    expect(host.asked.length).toBeLessThan(13);
    isHanging = false;
    expect([await cycle(), await cycle()].at(-1)).toBe("up");
  });
});
