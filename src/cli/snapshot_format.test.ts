import { describe, expect, test } from "bun:test";
import { linuxFrame, nvidiaFrame } from "../../test/frames.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { jsonFormat, type SnapshotFormat } from "./snapshot_format.ts";

const whole = ({ begin, frame, end }: SnapshotFormat, frames: Frame[]): string =>
  begin + frames.map(frame).join("") + end;
const decoded = (frame: Frame): unknown => JSON.parse(frameLine(frame));

describe("JSON", () => {
  test("of one frame is the very line of a recording", () => {
    expect(whole(jsonFormat(1, false), [linuxFrame])).toBe(`${frameLine(linuxFrame)}\n`);
  });

  test("of several frames is an array on one line", () => {
    const text = whole(jsonFormat(2, false), [linuxFrame, nvidiaFrame]);
    expect(text.indexOf("\n")).toBe(text.length - 1);
    expect(JSON.parse(text)).toEqual([decoded(linuxFrame), decoded(nvidiaFrame)]);
  });

  test("is indented as JSON.stringify does it", () => {
    const frames = [linuxFrame, nvidiaFrame];
    expect(whole(jsonFormat(2, true), frames)).toBe(`${JSON.stringify(frames.map(decoded), null, 2)}\n`);
    expect(whole(jsonFormat(1, true), [linuxFrame])).toBe(`${JSON.stringify(decoded(linuxFrame), null, 2)}\n`);
  });
});
