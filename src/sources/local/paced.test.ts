import { expect, test } from "bun:test";
import { Paced } from "./paced.ts";

test("read at its own pace", async () => {
  let reads = 0;
  const paced = new Paced(1000, async () => ++reads);
  expect(await paced.latest(0)).toBe(1);
  expect(await paced.latest(999)).toBe(1);
  expect(await paced.latest(1000)).toBe(2);
});

test("one that hangs is not waited for again, its old value goes stale, and it comes back", async () => {
  const answers: ((value: string) => void)[] = [];
  const paced = new Paced<string>(1000, () => new Promise((resolve) => answers.push(resolve)));
  const first = paced.latest(0);
  answers[0]?.("a");
  expect(await first).toBe("a");
  expect(await paced.latest(1000)).toBe("a");
  expect(await paced.latest(6000)).toBe("a");
  expect(paced.isHung(6000)).toBe(false);
  expect(await paced.latest(6001)).toBeNull();
  expect(paced.isHung(6001)).toBe(true);
  expect(answers).toHaveLength(2);
  answers[1]?.("b");
  await Promise.resolve();
  const back = paced.latest(7000);
  answers[2]?.("c");
  expect(await back).toBe("c");
  expect(paced.isHung(99_000)).toBe(false);
});
