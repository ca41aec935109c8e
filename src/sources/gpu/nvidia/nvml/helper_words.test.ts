import { afterEach, expect, test } from "bun:test";
import { Scenario } from "../../../../../test/nvml.ts";
import { SupervisedChild } from "../../child.ts";
import { HELPER } from "../helper_way.ts";

const children: SupervisedChild[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.close();
});

test("an error in the helper itself is told as what it was", async () => {
  using scenario = new Scenario("h100");
  const ready = Promise.withResolvers<unknown>();
  const ended = Promise.withResolvers<string>();
  const child = new SupervisedChild({
    command: scenario.with(HELPER),
    onMessage: ready.resolve,
    onEnd: ended.resolve,
  });
  children.push(child);
  child.start();
  expect(await ready.promise).toEqual({ ready: true });
  child.send({ read: 1, exclude: null });
  expect(await ended.promise).toMatch(/^ended with status 1: null is not an object/);
});
