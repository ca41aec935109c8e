import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { ProcessTree } from "../../../test/process_tree.ts";
import { FileThreads } from "../file_threads.ts";
import { ProcessDetails } from "./process_details.ts";
import { ProcessTable } from "./process_table.ts";

const shownOf = (table: ProcessTable, now_ms: number) => table.update(now_ms, () => true).sort((a, b) => a.pid - b.pid);

test("titles and users may change at any time: each process is looked at again", async () => {
  using tree = new ProcessTree();
  for (let pid = 1; pid <= 20; pid++) tree.write(pid, { cmdline: "before\0", uid: 0 });
  const table = new ProcessTable(tree.proc, 100);
  const details = new ProcessDetails(tree.proc, "masked");
  const shown = shownOf(table, 0);
  await details.update(shown);
  expect(new Set(shown.map(({ command, uid }) => `${command} ${uid}`))).toEqual(new Set(["before 0"]));
  for (let pid = 1; pid <= 20; pid++) tree.write(pid, { cmdline: "after\0", uid: 33 });
  for (let cycle = 0; cycle < 5; cycle++) await details.update(shown);
  expect(new Set(shown.map(({ command, uid }) => `${command} ${uid}`))).toEqual(new Set(["after 33"]));
  table.close();
});

test("a zombie keeps the command line that it had", async () => {
  using tree = new ProcessTree();
  tree.write(7, { cmdline: "run --fast\0" });
  const table = new ProcessTable(tree.proc, 100);
  const details = new ProcessDetails(tree.proc, "masked");
  await details.update(shownOf(table, 0));
  tree.write(7, { cmdline: "", state: "Z" });
  const shown = shownOf(table, 1000);
  await details.update(shown);
  expect(shown).toMatchObject([{ command: "run --fast", stat: { state: "Z" } }]);
  table.close();
});

test("a command line that the kernel does not hand out delays no frame, and is read when it does", async () => {
  using tree = new ProcessTree();
  tree.write(7, { state: "D" });
  tree.write(8, { cmdline: "eight\0" });
  // A pipe that nobody writes to: to read it hangs.
  Bun.spawnSync(["mkfifo", `${tree.proc}/7/cmdline`]);
  const table = new ProcessTable(tree.proc, 100);
  const details = new ProcessDetails(tree.proc, "masked");
  const shown = shownOf(table, 0);
  const seven = shown.find(({ pid }) => pid === 7);
  try {
    for (let cycle = 0; cycle < 4; cycle++) await details.update(shown);
    expect(shown).toMatchObject([
      { pid: 7, command: null, hasDetails: false },
      { pid: 8, command: "eight", hasDetails: true },
    ]);
  } finally {
    writeFileSync(`${tree.proc}/7/cmdline`, "seven\0");
  }
  while (!seven?.hasDetails) await Bun.sleep(1);
  expect(seven.command).toBe("seven");
  table.close();
});

test("while one hangs, the others are read", async () => {
  using tree = new ProcessTree();
  tree.write(7);
  Bun.spawnSync(["mkfifo", `${tree.proc}/7/cmdline`]);
  const table = new ProcessTable(tree.proc, 100);
  const details = new ProcessDetails(tree.proc, "masked", new FileThreads(2));
  try {
    await details.update(shownOf(table, 0));
    tree.write(8, { cmdline: "eight\0" });
    const shown = shownOf(table, 1000);
    await details.update(shown);
    expect(shown).toMatchObject([
      { pid: 7, command: null },
      { pid: 8, command: "eight" },
    ]);
  } finally {
    writeFileSync(`${tree.proc}/7/cmdline`, "seven\0");
    table.close();
  }
});
