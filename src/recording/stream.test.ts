import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../test/frames.ts";
import type { Header } from "./lines.ts";
import { RecordingStream } from "./stream.ts";

const HEADER: Header = {
  ...{ t_ms: 0, interval_ms: 1000, source: "local", hosts: ["dgx-01"], all_smi_version: "0.1.0" },
  ...{ recording: "r", segment: 1, first_seq: 0, timezone: "UTC" },
};

interface Line {
  readonly header?: true;
  readonly seq?: number;
  readonly errors?: readonly string[];
}

test("frames that a reader leaves waiting are dropped beyond a limit, and the next frame says how many", async () => {
  const lines: Line[] = [];
  const reads = Promise.withResolvers<void>();
  const stream = new RecordingStream(HEADER, async (text) => {
    await reads.promise;
    lines.push(JSON.parse(text));
    return true;
  });
  for (let n = 0; n < 300; n++) stream.offer(nvidiaFrame);
  reads.resolve();
  await stream.close();
  expect(lines.map(({ header, seq }) => header ?? seq)).toEqual([true, ...Array(256).keys()]);
  expect(lines[1]?.errors).toContain("recording: 44 frames dropped, the reader did not keep up");
  expect(lines[2]?.errors).toEqual(nvidiaFrame.errors);
});

test("a machine that gets another name has a header of it from there on", async () => {
  let text = "";
  const stream = new RecordingStream(HEADER, async (line) => {
    text += line;
    return true;
  });
  for (const hostname of ["localhost", "localhost", "node7"]) stream.offer({ ...nvidiaFrame, hostname });
  await stream.close();
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const shown = lines.map(({ header, hosts, first_seq, seq }) => (header ? [hosts, first_seq] : seq));
  expect(shown).toEqual([[["dgx-01"], 0], 0, 1, [["node7"], 2], 2]);
});

test("it ends when nobody reads any more, and takes what still comes", async () => {
  let writes = 0;
  const stream = new RecordingStream(HEADER, async () => ++writes < 2);
  stream.offer(nvidiaFrame);
  await stream.ended;
  stream.offer(nvidiaFrame);
  await stream.close();
  expect(writes).toBe(2);
});

test("what goes wrong with the writing comes out", async () => {
  const stream = new RecordingStream(HEADER, () => Promise.reject(new Error("no space")));
  await expect(stream.ended).rejects.toThrow("no space");
  await expect(stream.close()).rejects.toThrow("no space");
});
