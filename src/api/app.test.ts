import { describe, expect, spyOn, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { type Api, build, frameNumber, HOSTNAME, INTERVAL_MS, openApi } from "../../test/api.ts";
import { frameLine } from "../frame/encode.ts";
import { OPEN_METRICS_TYPE } from "./openmetrics.ts";
import { prometheusText } from "./prometheus.ts";
import { ServedCycle } from "./served_cycle.ts";

const OWN = `instance="${HOSTNAME}", hostname="${HOSTNAME}"`;

const get = async ({ app }: Api, path: string, headers: Record<string, string> = {}) =>
  await app.request(path, { headers });
const textOf = async (api: Api, path: string, headers: Record<string, string> = {}) =>
  await (await get(api, path, headers)).text();

/** The value of a series of `/metrics`. */
const sampleOf = async (api: Api, series: string): Promise<string | undefined> =>
  (await textOf(api, "/metrics"))
    .split("\n")
    .find((line) => line.startsWith(`all_smi_${series} `))
    ?.split(" ")
    .at(-1);

describe("before the first cycle", () => {
  test("metrics say that it is not up, and what it is", async () => {
    const api = openApi();
    const text = await textOf(api, "/metrics");
    expect(text).toContain(`all_smi_up{${OWN}} 0\n`);
    expect(text).toContain(`all_smi_build_info{${OWN}, version="1.2.3", os="linux", arch="x86_64"} 1\n`);
    expect(text).not.toContain("all_smi_cpu");
  });

  test("there is no snapshot, and it is not ready", async () => {
    const api = openApi();
    for (const [path, body] of [
      ["/snapshot", '{"schema":1,"error":"no collection cycle has completed yet"}'],
      ["/-/ready", "all-smi is not ready: no collection cycle has completed yet.\n"],
    ] as const) {
      const response = await get(api, path);
      expect([response.status, response.headers.get("retry-after"), await response.text()]).toEqual([503, "1", body]);
    }
    expect((await get(api, "/-/healthy")).status).toBe(200);
  });
});

describe("a cycle that is older than two intervals", () => {
  test("is served no more", async () => {
    const api = openApi();
    api.cycle();
    api.clock.now_ms += 2 * INTERVAL_MS;
    expect((await get(api, "/snapshot")).status).toBe(200);
    api.clock.now_ms += 1;
    expect(await textOf(api, "/snapshot")).toBe(
      '{"schema":1,"error":"the last collection cycle was completed 6 s ago"}',
    );
    expect(await textOf(api, "/-/ready")).toBe(
      "all-smi is not ready: the last collection cycle was completed 6 s ago.\n",
    );
    expect(await sampleOf(api, `up{${OWN}}`)).toBe("0");
    api.cycle();
    expect(await sampleOf(api, `up{${OWN}}`)).toBe("1");
    expect(await textOf(api, "/-/ready")).toBe("all-smi is ready.\n");
  });
});

describe("metrics", () => {
  test("are the frame's text and the exporter's own", async () => {
    const api = openApi();
    api.cycle();
    const response = await get(api, "/metrics");
    const text = await response.text();
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toStartWith(prometheusText(frameNumber(0), build));
    expect(text).toContain(`all_smi_source_duration_seconds{${OWN}, source="storage"} 2.4\n`);
    expect(text).toContain(`all_smi_source_success{${OWN}, source="cpu"} 1\n`);
    expect(text).toContain(`all_smi_source_success{${OWN}, source="storage"} 0\n`);
    expect(text).toContain(`all_smi_last_cycle_duration_seconds{${OWN}} 0.0125\n`);
    expect(text).toContain(`all_smi_last_cycle_timestamp_seconds{${OWN}} ${frameNumber(0).t_ms / 1000}\n`);
  });

  test("are OpenMetrics where that is asked for", async () => {
    const api = openApi();
    api.cycle();
    const response = await get(api, "/metrics", { accept: OPEN_METRICS_TYPE });
    expect(response.headers.get("content-type")).toBe(OPEN_METRICS_TYPE);
    expect(await response.text()).toEndWith("# EOF\n");
  });

  test("count what was asked, by path and status, without letting clients make series", async () => {
    const api = openApi();
    api.cycle();
    for (const path of ["/snapshot", "/snapshot", "/snapshot?include=rubbish", "/a", "/b", "/-/ready"]) {
      await get(api, path);
    }
    await api.app.request("/snapshot", { method: "POST" });
    const requests = (await textOf(api, "/metrics"))
      .split("\n")
      .filter((line) => line.startsWith("all_smi_http_requests_total"))
      .map((line) => line.replace(`all_smi_http_requests_total{${OWN}, `, "").replace("}", ""));
    expect(requests.sort()).toEqual([
      'path="/-/ready", code="200" 1',
      'path="/snapshot", code="200" 2',
      'path="/snapshot", code="400" 1',
      'path="/snapshot", code="405" 1',
      'path="other", code="404" 2',
    ]);
  });

  test("are written once a cycle, and compressed once, whoever asks", async () => {
    const api = openApi();
    const made = spyOn(ServedCycle.prototype, "metricsBody");
    const gzip = spyOn(Bun, "gzipSync");
    api.cycle();
    const texts = await Promise.all(
      Array.from({ length: 50 }, async () => await get(api, "/metrics", { "accept-encoding": "gzip" })),
    );
    const bodies = await Promise.all(texts.map(async (one) => Buffer.from(await one.arrayBuffer()).toString("base64")));
    expect(new Set(bodies).size).toBe(1);
    expect([made.mock.calls.length, gzip.mock.calls.length]).toEqual([50, 1]);
    // Counts in it would go on if it were written again.
    expect(await sampleOf(api, `http_requests_total{${OWN}, path="/metrics", code="200"}`)).toBeUndefined();
    api.cycle();
    expect(await sampleOf(api, `http_requests_total{${OWN}, path="/metrics", code="200"}`)).toBe("51");
    made.mockRestore();
    gzip.mockRestore();
  });
});

describe("encodings", () => {
  test.each([
    ["gzip", gunzipSync],
    ["zstd", zstdDecompressSync],
  ] as const)("%s", async (encoding, decompress) => {
    const api = openApi();
    api.cycle();
    for (const path of ["/metrics", "/snapshot"]) {
      const response = await get(api, path, { "accept-encoding": `br, ${encoding}` });
      expect(response.headers.get("content-encoding")).toBe(encoding);
      expect(response.headers.get("vary")).toContain("Accept-Encoding");
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get("content-length")).toBe(String(bytes.length));
      const plain = await textOf(api, path);
      expect(decompress(bytes).toString()).toBe(plain);
      expect(bytes.length).toBeLessThan(plain.length / 2);
    }
  });
});

describe("the snapshot", () => {
  test("is the frame's line", async () => {
    const api = openApi();
    api.cycle(3);
    const response = await get(api, "/snapshot");
    expect(await response.text()).toBe(`${frameLine(frameNumber(2))}\n`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test("has the sections that are asked for", async () => {
    const api = openApi();
    api.cycle();
    const sections = async (query: string) => {
      const frame = JSON.parse(await textOf(api, `/snapshot${query}`)) as object;
      return ["gpus", "cpus", "memory", "chassis", "processes", "storage"].filter((name) => name in frame);
    };
    const all = Object.keys(frameNumber(0));
    expect(await sections("?include=mem,cpu")).toEqual(["cpus", "memory"]);
    expect(await sections("?include=")).toEqual(
      ["gpus", "cpus", "memory", "chassis", "processes", "storage"].filter((name) => all.includes(name)),
    );
    expect(await sections("?include=disk")).toEqual(["storage"]);
  });

  test("what is wanted and not served is named", async () => {
    const api = openApi();
    const { processes: _, ...frame } = frameNumber(0);
    api.feed.take(frame, { duration_ms: 1, sources: [] });
    const named = async (include: string) =>
      (await get(api, `/snapshot?include=${include}`)).headers.get("all-smi-not-served");
    expect([await named("cpu,process"), await named("cpu"), await named("")]).toEqual(["process", null, null]);
  });

  test("is without the parts that nobody wants", async () => {
    const api = openApi();
    api.cycle();
    const whole = JSON.parse(await textOf(api, "/snapshot"));
    const bare = JSON.parse(await textOf(api, "/snapshot?without=cores,host_processes"));
    expect(whole.cpus[0].per_core_utilization.length).toBeGreaterThan(0);
    expect(bare.cpus[0].per_core_utilization).toEqual([]);
    expect(bare.gpus).toEqual(whole.gpus);
    expect(JSON.parse(await textOf(api, "/snapshot?include=cpu&without=cores")).cpus).toEqual(bare.cpus);
  });

  test("is indented where that is asked for", async () => {
    const api = openApi();
    api.cycle();
    const line = frameLine(frameNumber(0));
    expect(await textOf(api, "/snapshot?pretty=1")).toBe(`${JSON.stringify(JSON.parse(line), null, 2)}\n`);
    expect(await textOf(api, "/snapshot?pretty=no")).toBe(`${line}\n`);
  });

  test("keeps no more texts of a cycle than a few, whatever is asked for", async () => {
    const api = openApi();
    api.cycle();
    const words = ["gpu", "cpu", "memory", "chassis", "process", "storage"];
    const asked = Array.from({ length: 63 }, (_, n) => words.filter((_, bit) => ((n + 1) >> bit) & 1).join(","));
    const texts = await Promise.all(asked.map(async (include) => await textOf(api, `/snapshot?include=${include}`)));
    const again = await Promise.all(asked.map(async (include) => await textOf(api, `/snapshot?include=${include}`)));
    expect(again).toEqual(texts);
    expect(JSON.parse(texts[1] ?? "")).not.toHaveProperty("memory");
    expect(JSON.parse(texts[1] ?? "")).toHaveProperty("cpus");
  });
});

describe("a request that will not do", () => {
  test.each([
    ["/", 404],
    ["/metrics/", 404],
    ["//metrics", 404],
    ["/..%2fmetrics", 404],
    ["/etc/passwd", 404],
    ["/-/", 404],
    ["/snapshot?include=gpu,rubbish", 400],
    ["/snapshot?without=cores,rubbish", 400],
    ["/snapshot?pretty=maybe", 400],
    ["/events?throttle=-1", 400],
    ["/events?throttle=x", 400],
    ["/events?heartbeat=0", 400],
    ["/events?heartbeat=86401", 400],
    ["/events?include=rubbish", 400],
  ])("%s is %d, and says why", async (path, status) => {
    const api = openApi();
    api.cycle();
    const response = await get(api, path);
    const { schema, error } = (await response.json()) as { schema: number; error: string };
    expect([response.status, schema]).toEqual([status, 1]);
    expect(error).not.toBe("");
    expect(api.told).toEqual([]);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is not allowed", async (method) => {
    const api = openApi();
    api.cycle();
    for (const path of ["/metrics", "/snapshot", "/events", "/-/ready", "/-/healthy"]) {
      const response = await api.app.request(path, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });

  test("HEAD has the headers of GET and no body", async () => {
    const api = openApi();
    api.cycle();
    for (const path of ["/metrics", "/snapshot", "/events", "/-/ready"]) {
      const response = await api.app.request(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    expect(await sampleOf(api, `event_clients{${OWN}}`)).toBe("0");
  });

  test("an error inside is told, and not to the client", async () => {
    const api = openApi();
    const broken = spyOn(ServedCycle.prototype, "frameBody").mockImplementation(() => {
      throw new Error("secret inside");
    });
    api.cycle();
    const response = await get(api, "/snapshot");
    broken.mockRestore();
    expect([response.status, await response.text()]).toEqual([500, '{"schema":1,"error":"internal error"}']);
    expect(api.told).toEqual(["GET /snapshot: secret inside"]);
  });
});

describe("with a token", () => {
  test("nothing is served without it, but that it is up", async () => {
    const api = openApi({ token: "s3cret" });
    api.cycle();
    for (const path of ["/metrics", "/snapshot", "/events", "/nothing"]) {
      for (const authorization of ["", "Bearer wrong", "Basic s3cret"]) {
        const response = await get(api, path, { authorization });
        expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="all-smi"']);
        expect(await response.text()).not.toContain("s3cret");
      }
    }
    for (const path of ["/metrics", "/snapshot", "/-/ready"]) {
      expect((await get(api, path, { authorization: "Bearer s3cret" })).status).toBe(200);
    }
    for (const path of ["/-/healthy", "/-/ready"]) expect((await get(api, path)).status).toBe(200);
  });
});
