import { expect, test } from "bun:test";
import { findingOf } from "../../test/doctor.ts";
import { countStates } from "../doctor/report.ts";
import { textWidth } from "../view/text.ts";
import { DoctorText, wrap } from "./doctor_text.ts";

const FINDINGS = [
  findingOf({ group: "machine", name: "model", says: "NVIDIA DGXH100" }),
  findingOf({}),
  findingOf({
    state: "problem",
    says: "0000:06:00.0 is not taken by the driver",
    fix: "dmesg | grep 0000:06:00.0 says why: too old for this driver, or broken",
  }),
  findingOf({ name: "devices", state: "note", says: "1 of the machine's 8 cards are given to this container" }),
  findingOf({ group: "amd", name: "cards", state: "absent", says: "no card on the PCI bus" }),
];

function printed(columns: number, hasColours: boolean): string {
  const text = new DoctorText(columns, hasColours);
  return FINDINGS.map((finding) => text.finding(finding)).join("") + text.summary(countStates(FINDINGS));
}

test("findings stand in groups, and no line is wider than the terminal", () => {
  expect(printed(80, false)).toBe(`Machine
  ok       model       NVIDIA DGXH100

NVIDIA
  ok       driver      580.82.07 is loaded
  problem              0000:06:00.0 is not taken by the driver
                       fix: dmesg | grep 0000:06:00.0 says why: too old for this
                       driver, or broken
  note     devices     1 of the machine's 8 cards are given to this container

AMD
  absent   cards       no card on the PCI bus

1 problem, 1 note, 2 ok, 1 absent
`);
  for (const line of printed(60, false).split("\n")) expect(textWidth(line)).toBeLessThanOrEqual(60);
});

test("colours add nothing to the words", () => {
  const coloured = printed(80, true);
  expect(coloured).toContain("\x1b[1;31mproblem\x1b[0m");
  expect(Bun.stripANSI(coloured)).toBe(printed(80, false));
});

test("a word that is longer than a line stays whole, to be copied", () => {
  expect(wrap("a /very/long/path b", 6)).toEqual(["a", "/very/long/path", "b"]);
  expect(wrap("", 6)).toEqual([""]);
});

test("what is read of a machine does not act on the terminal", () => {
  const text = new DoctorText(80, false).finding(findingOf({ says: "evil\x1b[2J\r\nname", fix: "\x9bA" }));
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});
