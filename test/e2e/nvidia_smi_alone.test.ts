import { describe, expect, test } from "bun:test";
import type { Frame } from "../../src/frame/frame.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { fakeNvidiaSmi, type Script } from "../nvidia_smi.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

testFolder();

const DIES = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
const CAPTURE = { capture: "h100", moment: "load" } as const;

async function snapshot(script: Script, ...env: string[]): Promise<{ frame: Frame; code: number }> {
  using fake = fakeNvidiaSmi(script);
  const PATH = `${fake.path}:${process.env.PATH}`;
  const options = ["snapshot", "--include", "gpu,memory", "--format", "json"];
  const { out, code } = await start(["env", `PATH=${PATH}`, ...env, ...PROGRAM, ...options]).ended;
  return { frame: JSON.parse(out), code };
}

// A machine that has cards has signs of them.
describe.skipIf(mayHaveCards(""))("where nothing but an nvidia-smi on PATH speaks of cards", () => {
  test("it is asked", async () => {
    const { frame, code } = await snapshot({ ...CAPTURE, cards: 2 });
    expect(frame.gpus?.map(({ index, temperature }) => [index, temperature])).toEqual([
      [0, 59],
      [1, 59],
    ]);
    expect([frame.errors, code]).toEqual([[], 0]);
  });

  test("it is no error that it finds no driver", async () => {
    const { frame } = await snapshot({ ...CAPTURE, dies: DIES });
    expect([frame.gpus, frame.errors]).toEqual([[], []]);
  });

  test("it stands in for a library that is named and cannot be loaded, which is told", async () => {
    const { frame } = await snapshot({ ...CAPTURE, cards: 1 }, "ALL_SMI_NVML=/does/not/exist.so");
    expect(frame.gpus?.map(({ name }) => name)).toEqual(["NVIDIA H100 80GB HBM3"]);
    expect(frame.errors).toHaveLength(1);
    expect(frame.errors[0]).toMatch(/^nvidia: ALL_SMI_NVML: .*\/does\/not\/exist\.so.*; nvidia-smi is asked instead$/);
  });
});
