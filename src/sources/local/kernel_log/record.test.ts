import { expect, test } from "bun:test";
import { parseRecords } from "./record.ts";

test("a record: number, time, who wrote it, message", () => {
  expect(parseRecords("6,339,5140900,-;NET: Registered protocol family 10\n")).toEqual([
    { sequence: 339, time_us: 5_140_900, isKernels: true, message: "NET: Registered protocol family 10" },
  ]);
  // With the thread that wrote it, a semicolon in the message, properties behind it.
  expect(parseRecords("3,7,12,c,caller=T99;a;b\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:00.0\n12,8,13,-;c\n")).toEqual([
    { sequence: 7, time_us: 12, isKernels: true, message: "a;b" },
    { sequence: 8, time_us: 13, isKernels: false, message: "c" },
  ]);
});

test("a message is one line without control characters", () => {
  const [record] = parseRecords("4,1,1,-;a\\x1b[2J\\x0ab \\xe3\\x83\\x9b \\x5cx \\xe2\\x80\\xae \\xff\n");
  expect(record?.message).toBe("a [2J b ホ \\x   \u{fffd}");
});

test.each(["", "\n", " DEVICE=x\n", "4,1,-;no time\n", "a,1,1,-;x\n", "4,1,1,-no message\n", "\u{fffd}\0"])(
  "no record: %j",
  (text) => {
    expect(parseRecords(text)).toEqual([]);
  },
);
