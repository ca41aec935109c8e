import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../../test/frames.ts";
import { drawn, inputOf } from "../../../test/screen.ts";
import { toText } from "../../view/ansi.ts";

test("the power of cards that take a kilowatt and more is not cut", () => {
  const gpus = (nvidiaFrame.gpus ?? []).slice(0, 2).map((gpu, i) => ({
    ...gpu,
    lost: null,
    power_consumption: [1398, 85][i] ?? null,
    health: { power_limit_watts: 1400 },
  }));
  const text = toText(drawn(inputOf([{ ...nvidiaFrame, gpus }], 0), 80, 24).cells);
  expect(text).toContain(" 1398/1400W ");
  expect(text).toContain("   85/1400W ");
});
