import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { ProcessTree } from "../../../test/process_tree.ts";
import { ProcessFiles } from "./process_files.ts";

/** Which files below the tree this program holds open. */
const heldOpen = (proc: string): string[] =>
  readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(proc) ? [target.slice(proc.length)] : [];
    } catch {
      return [];
    }
  });

test("descriptors stay open up to the limit, and every process is read all the same", () => {
  using tree = new ProcessTree();
  for (const pid of [1, 2, 3]) tree.write(pid, { comm: `task ${pid}` });
  const files = new ProcessFiles(tree.proc, "stat", 2);
  for (let round = 0; round < 2; round++) {
    expect([1, 2, 3].map((pid) => files.read(pid)?.toString().slice(0, 10))).toEqual([
      "1 (task 1)",
      "2 (task 2)",
      "3 (task 3)",
    ]);
  }
  expect(heldOpen(tree.proc)).toEqual(["/1/stat", "/2/stat"]);
  files.forgetAllBut(new Set([2, 3]));
  expect(heldOpen(tree.proc)).toEqual(["/2/stat"]);
  files.forget(2);
  expect(heldOpen(tree.proc)).toEqual([]);
});

test("the descriptor of a process that has ended is closed", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  const files = new ProcessFiles("/proc", "stat");
  expect(files.read(child.pid)?.toString()).toStartWith(`${child.pid} (`);
  expect(heldOpen(`/proc/${child.pid}`)).toEqual(["/stat"]);
  child.kill();
  await child.exited;
  expect(files.read(child.pid)).toBeNull();
  expect(heldOpen(`/proc/${child.pid}`)).toEqual([]);
});

test("where the program may open few files it makes do with them, and leaves some", () => {
  using tree = new ProcessTree();
  for (let pid = 1; pid <= 200; pid++) tree.write(pid);
  const script = `
    import { openSync } from "node:fs";
    import { ProcessFiles } from "${import.meta.dir}/process_files.ts";
    const files = new ProcessFiles("${tree.proc}", "stat", 1000);
    let read = 0;
    for (let pid = 1; pid <= 200; pid++) if (files.read(pid)) read++;
    openSync("/dev/null", "r");
    process.stdout.write(String(read));
  `;
  const limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "-e", script];
  const { stdout, stderr } = Bun.spawnSync(limited);
  expect(stderr.toString()).toBe("");
  expect(stdout.toString()).toBe("200");
});
