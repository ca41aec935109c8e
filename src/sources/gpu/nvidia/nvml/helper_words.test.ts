import { afterEach, expect } from "bun:test";
import { driverTest as test } from "../../../../../test/driver_test.ts";
import { Scenario, until } from "../../../../../test/nvml.ts";
import { SupervisedChild } from "../../child.ts";
import { LastWords } from "../../child_output.ts";
import { HELPER } from "../helper_way.ts";
import { OWN_FAULT_STATUS } from "./messages.ts";

const children: SupervisedChild[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.close();
});

test("an error in the helper itself is told as what it was", async () => {
  using scenario = new Scenario("h100");
  const ready = Promise.withResolvers<unknown>();
  await using helper = Bun.spawn(scenario.with(HELPER), {
    ipc: ready.resolve,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await ready.promise).toEqual({ ready: true });
  helper.send({ read: 1, exclude: null });
  const words = new LastWords();
  words.add(await helper.stderr.text());
  expect(words.line).toStartWith("null is not an object");
  expect(await helper.exited).toBe(OWN_FAULT_STATUS);
});

test("what the library prints without an end of its line hides no announcement", async () => {
  using scenario = new Scenario("h100", "0 prints nvmlDeviceGetPowerUsage 1");
  const lines: string[] = [];
  const child = new SupervisedChild({
    command: scenario.with(HELPER),
    onMessage: () => {},
    onLine: (line) => lines.push(line),
    onEnd: () => {},
  });
  children.push(child);
  child.start();
  child.send({ read: 1, careful: true });
  await until(
    () => lines.slice(lines.findIndex((line) => line.includes("a warning"))),
    (after) =>
      after[0]?.includes("a warning") === true && after.some((line) => line.includes("nvmlDeviceGetPerformanceState")),
  );
  expect(lines).toContain("a warning");
  const announced = lines.filter((line) => line.includes('"calling"'));
  expect(announced.filter((line) => !line.startsWith("{"))).toEqual([]);
});
