import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { childrenOf } from "../child_processes.ts";
import { driverTest } from "../driver_test.ts";
import { StubDriver } from "../nvml_stub.ts";
import { rootWithoutCards } from "./host_root.ts";
import { LAUNCHER, start, testFolder, until } from "./run.ts";

const folder = testFolder();
const ROOT = rootWithoutCards(folder);
/** What Bun, its engine, or its allocator would obey. */
const OBEYED = /^(BUN_|MIMALLOC_|NODE_OPTIONS=)/;

const settingsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .filter((setting) => OBEYED.test(setting));

test("what the environment says to the engine of another program stops no start, and is obeyed by none", async () => {
  const preload = join(folder, "preload.ts");
  await Bun.write(preload, 'console.log("somebody else\'s");');
  const settings = [
    ...["BUN_JSC_noSuchOption=1", "BUN_JSC_useJIT=perhaps", "MIMALLOC_VERBOSE=1", "NODE_OPTIONS=--no-such-option"],
    ...[`BUN_OPTIONS=--preload=${preload}`, "SEVERAL=lines\nexport BUN_JSC_another=1\n"],
  ];
  for (const command of [["--version"], ["snapshot", "--mock", "1x1", "--include", "memory"], ["doctor", "--help"]]) {
    const { code, out, err } = await start(["env", ...settings, LAUNCHER, ...command]).ended;
    expect({ command, code, err }).toEqual({ command, code: 0, err: "" });
    expect(out).not.toContain("somebody else's");
  }
});

driverTest("a recorder and its helper run as the engine runs by itself", async () => {
  const driver = new StubDriver(folder, "h100");
  for (const options of [[], ["--hosts", "127.0.0.1:1"]]) {
    const output = join(folder, `plain_${options.length}.ndjson`);
    const to = ["-o", output, "--keep-free", "0", ...(options.length > 0 ? options : ["--host-root", ROOT])];
    const { child, ended } = start(driver.with(["env", "BUN_JSC_useJIT=1", LAUNCHER, "record", "-i", "0.2", ...to]));
    if (options.length === 0) {
      const helper = await until("the helper", () => childrenOf(child.pid)[0] ?? null);
      await until("its program", () => readFileSync(`/proc/${helper}/cmdline`, "utf8").includes("helper.ts"));
      expect(settingsOf(helper)).toEqual([]);
    }
    await until("a frame", async () => (await Bun.file(output).exists()) && Bun.file(output).size > 0);
    expect(settingsOf(child.pid)).toEqual([]);
    child.kill("SIGINT");
    expect((await ended).code).toBe(0);
  }
});

test("nothing that is installed names an option of the engine or of its allocator", () => {
  const project = resolve(import.meta.dir, "../..");
  const named = ["bin", "src", "packaging"].flatMap((part) =>
    readdirSync(join(project, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /BUN_JSC_\w|MIMALLOC_\w|BUN_GC_|BUN_FEATURE_FLAG/.test(readFileSync(path, "utf8"))),
  );
  expect(named).toEqual([]);
});
