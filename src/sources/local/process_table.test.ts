import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { ProcessTree } from "../../../test/process_tree.ts";
import { ProcessTable } from "./process_table.ts";

const none = () => false;

/** Reads the table every second, 100 ticks. */
function reader(tree: ProcessTree) {
  const table = new ProcessTable(tree.proc, 100);
  let now_ms = 0;
  return {
    table,
    read(wanted: (pid: number) => boolean = none) {
      now_ms += 1000;
      const processes = table.update(now_ms, wanted).sort((a, b) => a.pid - b.pid);
      return new Map(processes.map((process) => [process.pid, process]));
    },
  };
}

test("CPU use is that between two readings; the first one has none", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  tree.write(7, { cpu_ticks: 5000 });
  expect(read().get(7)?.cpu_percent).toBeNull();
  tree.write(7, { cpu_ticks: 5150 });
  expect(read().get(7)?.cpu_percent).toBe(150);
  expect(read().get(7)?.cpu_percent).toBe(0);
  table.close();
});

test("another process with the same number is another process", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  tree.write(7, { cpu_ticks: 5000, start_ticks: 100, comm: "old" });
  const old = read().get(7);
  tree.write(7, { cpu_ticks: 5001, start_ticks: 900, comm: "new" });
  const next = read().get(7);
  expect(next).not.toBe(old);
  expect(next).toMatchObject({ cpu_percent: null, stat: { comm: "new" } });
  table.close();
});

test("a process that runs another program loses its command line", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  tree.write(7, { comm: "sh" });
  Object.assign(read().get(7) ?? {}, { command: "sh -c x", hasDetails: true });
  expect(read().get(7)).toMatchObject({ command: "sh -c x", hasDetails: true });
  tree.write(7, { comm: "x" });
  expect(read().get(7)).toMatchObject({ command: null, hasDetails: false });
  table.close();
});

test("what has ended is gone, what may not be read comes when it may", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  tree.write(7);
  tree.write(8);
  tree.write(9);
  expect([...read().keys()]).toEqual([7, 8, 9]);
  tree.end(8);
  expect([...read().keys()]).toEqual([7, 9]);
  tree.write(10);
  tree.end(7);
  expect([...read().keys()]).toEqual([9, 10]);
  table.close();
});

test("idle processes are read in rotation, and every one has its turn", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  const pids = Array.from({ length: 400 }, (_, at) => at + 1);
  for (const pid of pids) tree.write(pid);
  for (let cycle = 0; cycle < 4; cycle++) read();
  for (const pid of pids) tree.write(pid, { cpu_ticks: 100 });

  const awake = [1, 2, 3, 4, 5, 6, 7, 8].map(() => {
    const processes = read((pid) => pid === 3 || pid === 4 || pid === 5 || pid === 6);
    for (const pid of [3, 4, 5, 6]) expect(processes.get(pid)?.stat.cpu_ticks).toBe(100);
    return [...processes.values()].filter((process) => process.stat.cpu_ticks > 0).length;
  });
  expect(awake[0]).toBeLessThan(150);
  expect(awake).toEqual(awake.toSorted((a, b) => a - b));
  expect(awake.at(-1)).toBe(400);
  table.close();
});

test("an idle process that wakes shows the CPU use since it was last looked at", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  for (let pid = 1; pid <= 400; pid++) tree.write(pid);
  for (let cycle = 0; cycle < 12; cycle++) read();
  for (let pid = 1; pid <= 400; pid++) tree.write(pid, { cpu_ticks: 100 });
  const woken = new Map<number, number>();
  for (let cycle = 0; cycle < 8; cycle++) {
    for (const { pid, cpu_percent } of read().values()) if (cpu_percent && !woken.has(pid)) woken.set(pid, cpu_percent);
  }
  // 100 ticks are one second of a core, spread over the two, three, … seconds since the last look.
  const seconds = new Set([...woken.values()].map((cpu_percent) => Number((100 / cpu_percent).toFixed(6))));
  expect(woken.size).toBe(400);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(8);
  expect(seconds.size).toBeGreaterThan(1);
  for (const duration of seconds) expect(Number.isInteger(duration)).toBe(true);
  table.close();
});

test("a process in the last frame is not idle", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  for (let pid = 1; pid <= 400; pid++) tree.write(pid);
  for (let cycle = 0; cycle < 5; cycle++) table.show([...read().values()].slice(0, 4));
  for (let pid = 1; pid <= 4; pid++) tree.write(pid, { rss_pages: 77 });
  const processes = read();
  for (let pid = 1; pid <= 4; pid++) expect(processes.get(pid)?.stat.rss_pages).toBe(77);
  table.close();
});

test("the memory of what is shown is exact", () => {
  using tree = new ProcessTree();
  const { table, read } = reader(tree);
  tree.write(7, { rss_pages: 64 });
  tree.write(8, { rss_pages: 64 });
  writeFileSync(`${tree.proc}/7/statm`, "1000 99 9 9 0 9 0\n");
  const processes = read();
  table.show([...processes.values()]);
  expect([7, 8].map((pid) => processes.get(pid)?.resident_pages)).toEqual([99, 64]);
  expect(read().get(7)?.resident_pages).toBe(99);
  table.show([]);
  read();
  expect(read().get(7)?.resident_pages).toBe(64);
  table.close();
});
