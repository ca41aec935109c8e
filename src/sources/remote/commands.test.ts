import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../../test/frames.ts";
import type { Process } from "../../frame/schema.ts";
import { Commands } from "./commands.ts";

const [some] = nvidiaFrame.processes ?? [];
if (some === undefined) throw new Error("no process");
const process = (command: string): Process => ({ ...some, process_name: "python3", command });

const SECRET = "python3 train.py --api-key abc --lr 0.1";

test("secrets are hidden as those of this machine are", () => {
  const commands = new Commands("masked");
  for (let n = 0; n < 2; n++) {
    expect(commands.shown(process(SECRET))).toBe("python3 train.py --api-key *** --lr 0.1");
    expect(commands.shown(process("python3 train.py --lr 0.1"))).toBe("python3 train.py --lr 0.1");
  }
});

test("all of it, or no more than the name, where that is wanted", () => {
  expect(new Commands("full").shown(process(SECRET))).toBe(SECRET);
  expect(new Commands("name").shown(process(SECRET))).toBe("python3");
});

test("arguments that an exporter tells in a process's name are masked in both", () => {
  const odd = { ...process("a"), process_name: "python3 --api-key abc" };
  for (const mode of ["masked", "name"] as const) expect(new Commands(mode).named(odd)).toBe("python3 --api-key ***");
  expect(new Commands("name").shown(odd)).toBe("python3 --api-key ***");
  expect(new Commands("masked").named({ ...odd, process_name: "x".repeat(2000) })).toBe("x".repeat(512));
});

test("what is sent is on one line, and not longer than a frame holds", () => {
  for (const mode of ["masked", "full"] as const) {
    const commands = new Commands(mode);
    expect(commands.shown(process("a\nb\u001b[2Jc"))).toBe("a b [2Jc");
    expect(commands.shown(process("x".repeat(2000)))).toBe("x".repeat(512));
  }
});

test("as many as there are of them are shown", () => {
  const commands = new Commands("masked");
  for (let n = 0; n < 40_000; n++) expect(commands.shown(process(`sleep ${n}`))).toBe(`sleep ${n}`);
});
