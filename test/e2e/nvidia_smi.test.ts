import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { fakeNvidiaSmi, type Script } from "../nvidia_smi.ts";
import { rootWithoutCards } from "./host_root.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

/** This machine as one with NVIDIA's driver, and without its library. */
const root = rootWithoutCards(testFolder());
writeFileSync(join(root, "dev/nvidiactl"), "");

async function snapshot(script: Script, ...options: string[]): Promise<Frame> {
  using fake = fakeNvidiaSmi(script);
  const PATH = `${fake.path}:${process.env.PATH}`;
  const { out, code } = await start([
    ...["env", `PATH=${PATH}`, ...PROGRAM, "snapshot", "--host-root", root, "--format", "json", ...options],
  ]).ended;
  expect(code).toBe(0);
  return JSON.parse(out);
}

// Where the library is there, it is what is read.
describe.skipIf(mayHaveCards(""))("where only nvidia-smi is there", () => {
  test("a snapshot has its cards and who uses them", async () => {
    const { gpus, processes, errors } = await snapshot(
      { capture: "h100", moment: "load", cards: 2, lost: { 1: "[GPU is lost]" } },
      ...["--include", "gpus,processes"],
    );
    expect(gpus?.map(({ index, temperature, lost }) => [index, temperature, lost?.reason ?? null])).toEqual([
      [0, 59, null],
      [1, 0, "GPU is lost"],
    ]);
    const users = processes?.filter(({ uses_gpu }) => uses_gpu).map(({ pid }) => pid);
    expect(users).toContain(11_345);
    expect(errors).toEqual([]);
  });

  test("a snapshot says why there are no cards", async () => {
    const dies = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    const { gpus, errors } = await snapshot({ capture: "h100", moment: "load", dies }, "--include", "gpus,memory");
    expect(gpus).toEqual([]);
    expect(errors).toEqual(["nvidia: the driver is not loaded"]);
  });
});
