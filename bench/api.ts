/**
 * What serving costs: a real `all-smi api` of a simulated machine with 8 GPUs, on a core of its own, under `wrk` (of
 * Debian's package of that name), and with 500 clients of its event stream.
 *
 *     npm run bench:api              a minute of streams
 *     npm run bench:api -- 600       ten of them
 */
import { availableParallelism, cpus, release } from "node:os";
import { measureMetrics, measureStreams, serveApi } from "./api_run.ts";

const [seconds = 60] = process.argv.slice(2).map(Number);

const CLIENTS = 500;
const REQUESTS_PER_S = 2000;
/** Of what a minute of 500 streams leaves behind. */
const MOST_GROWTH_MIB = 5;

const KINDS = [
  ["text", []],
  ["text, gzip", ["Accept-Encoding: gzip"]],
  ["text, zstd", ["Accept-Encoding: zstd"]],
  ["OpenMetrics", ["Accept: application/openmetrics-text"]],
] as const;

const aim = (what: string, aimed: string, measured: string, isMet: boolean) => ({
  what,
  aim: aimed,
  measured,
  "": isMet ? "met" : "MISSED",
});

if (Bun.which("wrk") === null) {
  console.error("wrk is missing: apt install wrk");
  process.exit(2);
}
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} CPUs, ${process.platform} ${release()}, Bun ${Bun.version}; ` +
    "8 GPUs, a frame a second",
);
const served = await serveApi();
try {
  const rows: Record<string, string>[] = [];
  const aims: Record<string, string>[] = [];
  for (const [name, headers] of KINDS) {
    const paced = await measureMetrics(served, { headers, perSecond: REQUESTS_PER_S });
    const most = await measureMetrics(served, { headers, perSecond: null });
    rows.push({
      "/metrics": name,
      "a second": `${paced.perSecond.toFixed(0)}, of a core ${(paced.cpuShare * 100).toFixed(0)} %`,
      "median, p99": `${paced.median_ms.toFixed(1)} ms, ${paced.p99_ms.toFixed(1)} ms`,
      "a second at most": most.perSecond.toFixed(0),
    });
    aims.push(
      aim(
        `/metrics, ${name}: requests a second`,
        `≥ ${REQUESTS_PER_S}`,
        most.perSecond.toFixed(0),
        most.perSecond >= REQUESTS_PER_S && paced.failed === 0 && most.failed === 0,
      ),
      aim(`/metrics, ${name}: p99`, "≤ 20 ms", `${paced.p99_ms.toFixed(1)} ms`, paced.p99_ms <= 20),
    );
  }
  const streams = await measureStreams(served, CLIENTS, seconds);
  console.table(rows);
  console.table([
    {
      "event clients": CLIENTS,
      "frames each": `${streams.frames.least} to ${streams.frames.most} in ${seconds} s`,
      "of a core": `${(streams.cpuShare * 100).toFixed(0)} %`,
      resident: `${streams.resident.before.toFixed(0)} MiB, then ${streams.resident.after.toFixed(0)} MiB`,
      sent: `${(streams.sentBytesPerSecond / 2 ** 20).toFixed(0)} MiB a second`,
    },
  ]);
  const growth = streams.resident.after - streams.resident.before;
  aims.push(
    aim(`${CLIENTS} event clients: frames missed`, "0", `${streams.missed}`, streams.missed === 0),
    aim(
      `${CLIENTS} event clients: growth`,
      `≤ ${MOST_GROWTH_MIB} MiB`,
      `${growth.toFixed(1)} MiB`,
      growth <= MOST_GROWTH_MIB,
    ),
  );
  console.table(aims);
  process.exitCode = aims.every((one) => one[""] === "met") ? 0 : 1;
} finally {
  await served.stop();
}
