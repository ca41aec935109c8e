/** What looking for events costs a frame: CPU time. */
import { Detector } from "../src/events/detector.ts";
import { mockSource } from "../src/sources/mock/mock.ts";
import { frameOf, readAt, START_MS } from "../test/mock.ts";

const msOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

function cost(hosts: number, frames: number): string {
  const source = mockSource({ hosts, gpus: 8, seed: 1, include: ["gpus", "cpus", "memory"], perCore: false });
  const made = Array.from({ length: frames }, (_, n) =>
    frameOf(readAt(source, START_MS + n * 1000), START_MS + n * 1000),
  );
  const detector = new Detector({ interval_ms: 1000 });
  let seq = 0;
  const look = () => {
    for (const frame of made) detector.add(frame, { seq, elapsed_ms: seq++ * 1000 });
  };
  look();
  const before = process.cpuUsage();
  look();
  return `${(msOf(process.cpuUsage(before)) / frames).toFixed(3)} ms`;
}

console.table([
  { mock: "1x8", "a frame": cost(1, 1000) },
  { mock: "100x8", "a frame": cost(100, 60) },
]);
