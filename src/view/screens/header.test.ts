import { expect, test } from "bun:test";
import { linuxFrame } from "../../../test/frames.ts";
import type { Frame } from "../../frame/frame.ts";
import { emptyHost, type Host } from "../hosts.ts";
import { hostFacts } from "./header.ts";

const frame: Frame = { ...linuxFrame, gpus: [], errors: [] };
const saysNone = (frame: Frame, changes: Partial<Host> = {}) =>
  hostFacts({ ...emptyHost("vm", "vm"), ...changes }, frame).some(({ text }) => text === "no GPU");

test("that a machine has no GPU is said only where that is known", () => {
  const { gpus: _, ...unasked } = frame;
  expect(saysNone(frame)).toBe(true);
  expect(saysNone(unasked)).toBe(false);
  expect(saysNone(frame, { downReason: "connection refused" })).toBe(false);
  expect(saysNone({ ...frame, errors: ["nvidia: the driver is being initialized"] })).toBe(false);
});
