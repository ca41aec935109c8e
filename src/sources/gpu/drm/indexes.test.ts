import { expect, test } from "bun:test";
import { openMachine } from "../../../../test/fixtures/machines/make.ts";
import { Tree } from "../../local/files.ts";
import { CardIndexes } from "./indexes.ts";

test("from 0 on, each once", () => {
  using machine = openMachine(null);
  const indexes = new CardIndexes(new Tree(machine.root));
  expect([indexes.next(), indexes.next(), indexes.next()]).toEqual([0, 1, 2]);
});

test("after those that NVIDIA's driver numbers", () => {
  using machine = openMachine(null);
  for (const device of ["0000:01:00.0", "0000:41:00.0"]) {
    machine.write(`/sys/bus/pci/drivers/nvidia/${device}/vendor`, "0x10de\n");
  }
  machine.write("/sys/bus/pci/drivers/nvidia/new_id", "");
  const indexes = new CardIndexes(new Tree(machine.root));
  expect([indexes.next(), indexes.next()]).toEqual([2, 3]);
});
