import { expect, test } from "bun:test";
import { FileThreads } from "./file_threads.ts";

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<{ says: string }>();
  let begun = false;
  const begin = () => {
    begun = true;
    return promise;
  };
  return { begin, answer: (says: string) => resolve({ says }), fail: reject, isBegun: () => begun };
}

const tick = () => Bun.sleep(0);

test("what hangs holds one of so many threads, the others go on, and it is given up", async () => {
  const threads = new FileThreads(2);
  const [dead, well] = [work(), work()];
  const given = threads.runPatiently("dead", dead.begin);
  well.answer("well");
  expect(await threads.run("well", well.begin)).toEqual({ says: "well" });
  expect(await given).toBe("late");
  expect(threads.isStuck).toBe(false);
  dead.answer("");
});

test("when all hang nothing is begun, and when one answers what waits is", async () => {
  const threads = new FileThreads(2);
  const [a, b, c, d] = [work(), work(), work(), work()];
  const hanging = [threads.runPatiently("a", a.begin), threads.runPatiently("b", b.begin)];
  expect(await Promise.all(hanging)).toEqual(["late", "late"]);
  expect([threads.isStuck, await threads.runPatiently("c", c.begin), c.isBegun()]).toEqual([true, "blocked", false]);
  const waiting = threads.run("d", d.begin);
  d.answer("d");
  await tick();
  expect(d.isBegun()).toBe(false);
  a.answer("too late");
  expect(await waiting).toEqual({ says: "d" });
  b.answer("");
  await tick();
  expect([threads.isStuck, c.isBegun()]).toEqual([false, false]);
});

test("of one device one read is under way, and nobody waits behind one that hangs", async () => {
  const threads = new FileThreads(8);
  const [first, second, third] = [work(), work(), work()];
  const one = threads.run("card", first.begin);
  const two = threads.run("card", second.begin);
  await tick();
  expect(second.isBegun()).toBe(false);
  first.answer("1");
  second.answer("2");
  expect(await Promise.all([one, two])).toEqual([{ says: "1" }, { says: "2" }]);
  const stuck = work();
  expect(await threads.runPatiently("card", stuck.begin)).toBe("late");
  expect([await threads.run("card", third.begin), third.isBegun()]).toEqual(["blocked", false]);
  stuck.answer("");
  third.answer("3");
  await tick();
  expect(await threads.run("card", third.begin)).toEqual({ says: "3" });
});

test("healthy ones wait for each other; beside those that may hang others begin", async () => {
  const threads = new FileThreads(100);
  const many = Array.from({ length: 20 }, work);
  const read = many.map(({ begin }, i) => threads.run(`${i}`, begin));
  await tick();
  expect(many.filter(({ isBegun }) => isBegun())).toHaveLength(8);
  while (!many.every(({ isBegun }) => isBegun())) await Bun.sleep(10);
  for (const { answer } of many) answer("");
  await Promise.all(read);
});

test("an error is the caller's", async () => {
  const threads = new FileThreads(1);
  const failing = work();
  failing.fail(new Error("EIO"));
  expect(threads.run("a", failing.begin)).rejects.toThrow("EIO");
  await tick();
  expect(threads.isStuck).toBe(false);
});
