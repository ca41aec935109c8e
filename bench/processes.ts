/**
 * What the section of the processes costs: CPU of one cycle with 1,000 sleeping processes beside those of this machine.
 * `bun bench/processes.ts [sleeping] [cycles]`
 */
import { processSource } from "../src/sources/local/processes.ts";

const [sleeping = 1000, cycles = 40] = process.argv.slice(2).map(Number);
/** Until everything is known and the sleeping ones count as idle. */
const WARM_UP_CYCLES = 12;
const INTERVAL_MS = 100;

const children = Array.from({ length: sleeping }, () =>
  Bun.spawn(["sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] }),
);
const source = processSource({ root: "", limit: 100, command: "masked" });

async function readOnce(): Promise<number> {
  const { signal } = new AbortController();
  const begun = process.cpuUsage();
  await source.read({ t_ms: Date.now(), time: "", monotonic_ms: performance.now(), wait_ms: 800, signal });
  const { user, system } = process.cpuUsage(begun);
  await Bun.sleep(INTERVAL_MS);
  return (user + system) / 1000;
}

async function measure(count: number): Promise<number[]> {
  const costs: number[] = [];
  for (let cycle = 0; cycle < count; cycle++) costs.push(await readOnce());
  return costs;
}

const milliseconds = (value: number | undefined): string => `${(value ?? 0).toFixed(2)} ms`;

try {
  const [first] = await measure(1);
  await measure(WARM_UP_CYCLES);
  const costs = (await measure(cycles)).sort((a, b) => a - b);
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  console.log(`CPU of one cycle with ${sleeping} sleeping processes beside those of this machine:`);
  console.log(`first ${milliseconds(first)}, then mean ${milliseconds(mean)}, most ${milliseconds(costs.at(-1))}`);
} finally {
  source.close?.();
  for (const child of children) child.kill();
  await Promise.all(children.map((child) => child.exited));
}
