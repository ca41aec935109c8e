import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closeHosts, type Host, rawHost, response } from "../../../test/hosts.ts";
import { closeSources, dcgm, outcomeOf, read, sourceOf } from "../../../test/remote.ts";
import { redirected } from "./http_client.ts";
import { parseEndpoint } from "./target.ts";

afterEach(closeSources);
afterAll(closeHosts);

const moved = (location: string, status = "301 Moved Permanently") => response(status, "", `Location: ${location}\r\n`);

/** Has its page elsewhere: under a path, what is answered there. */
const server = (answers: Readonly<Record<string, string | Uint8Array>>): Promise<Host> =>
  rawHost((socket, path) => socket.write(answers[path] ?? response("404 Not Found", "")));

describe("where a redirect leads", () => {
  const to = (location: string, from = "http://node-1:9100/metrics"): string | null => {
    const endpoint = parseEndpoint(from);
    if (typeof endpoint === "string") throw new Error(endpoint);
    const place = redirected({ endpoint, path: endpoint.path ?? "/" }, location);
    return place === null
      ? null
      : `${place.endpoint.scheme} ${place.endpoint.host} ${place.endpoint.port} ${place.path}`;
  };

  test.each([
    ["/metrics/", "http node-1 9100 /metrics/"],
    ["other?a=b#c", "http node-1 9100 /other?a=b"],
    ["http://NODE-1:9100/m", "http node-1 9100 /m"],
    ["//node-1:9100/m n", "http node-1 9100 /m%20n"],
    ["https://node-1/metrics", "https node-1 443 /metrics"],
    ["https://node-1:9443/metrics", "https node-1 9443 /metrics"],
    ["http://u:p@node-1:9100/m", "http node-1 9100 /m"],
    ["http://node-2:9100/metrics", null],
    ["https://node-1.evil.invalid/metrics", null],
    ["http://node-1:9101/metrics", null],
    ["http://node-1/metrics", null],
    ["//node-2/metrics", null],
    ["ftp://node-1:9100/metrics", null],
    ["file:///etc/passwd", null],
    ["http://[", null],
  ])("%s", (location, place) => {
    expect(to(location)).toBe(place);
  });

  test("never from TLS to plain text; IPv6 and default ports are the same host", () => {
    expect(to("http://node-1:9100/m", "https://node-1:9100/metrics")).toBeNull();
    expect(to("https://node-1/m", "https://node-1:443/metrics")).toBe("https node-1 443 /m");
    expect(to("http://[fd00::1]:9100/m", "http://[FD00:0::1]:9100/metrics")).toBe("http fd00:0::1 9100 /m");
  });
});

test.each(["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"])(
  "%s on the same host is followed, every cycle",
  async (status) => {
    const host = await server({
      "/metrics": moved("/metrics/", status),
      "/metrics/": moved("page", status),
      "/metrics/page": response("200 OK", dcgm()),
    });
    const source = sourceOf([host.id]);
    for (let n = 0; n < 3; n++) expect(outcomeOf(await read(source))).toBe("up");
  },
);

test("a circle ends", async () => {
  const host = await server({ "/metrics": moved("/metrics") });
  expect(outcomeOf(await read(sourceOf([`${host.id}/metrics`])))).toBe("redirected");
  expect(host.asked).toHaveLength(5);
});

test("neither another host nor another port of this one is asked, and no token gets there", async () => {
  const elsewhere = await server({ "/metrics": response("200 OK", dcgm()) });
  for (const location of [`http://${elsewhere.id}/metrics`, `http://localhost:${elsewhere.port}/metrics`]) {
    const host = await server({ "/metrics": moved(location) });
    expect(outcomeOf(await read(sourceOf([host.id], { token: "s3cret" })))).toBe("redirected");
  }
  expect(elsewhere.connections).toBe(0);
});

test("from plain text to TLS", async () => {
  const tls = (name: string) => readFileSync(join(import.meta.dir, `../../../test/fixtures/tls/${name}.pem`), "utf8");
  const secure = Bun.serve({
    port: 0,
    hostname: "localhost",
    tls: { cert: tls("cert"), key: tls("key") },
    fetch: ({ headers }) => new Response(headers.get("authorization") === "Bearer s3cret" ? dcgm() : "rubbish\n"),
  });
  const host = await server({ "/metrics": moved(`https://localhost:${secure.port}/metrics`) });
  const source = sourceOf([`localhost:${host.port}`], { ca: tls("cert"), token: "s3cret" });
  expect(outcomeOf(await read(source))).toBe("up");
  await secure.stop(true);
});
