import { expect, test } from "bun:test";
import { MAX_GPUS, MAX_HOSTS } from "../sources/mock/options.ts";
import { MOST_GPUS, MOST_NODES } from "./mock.ts";

test("the command takes what the simulation does", () => {
  expect([MOST_NODES, MOST_GPUS]).toEqual([MAX_HOSTS, MAX_GPUS]);
});
