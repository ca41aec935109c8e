import { expect, test } from "bun:test";
import { allSmi } from "./pty.ts";
import { PROGRAM, start, TEST_MS } from "./run.ts";

const MOCK = ["--source", "mock", "--mock", "1x2", "-i", "0.2"] as const;

test(
  "live shows what comes, freezes, steps in memory, and comes back to now",
  async () => {
    const pty = allSmi(["view", ...MOCK]);
    await pty.untilChip(/^LIVE \| \d\d:\d\d:\d\d$/);
    const clock = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/;
    const seen = new Set<string>();
    await pty.until("three seconds", ({ text }) => seen.add(clock.exec(text)?.[0] ?? "").size > 3);

    pty.type(" ");
    await pty.untilChip(/^FROZEN/);
    const frozen = clock.exec(pty.text)?.[0] as string;
    await pty.untilChip(/00:00:01 ago/);
    expect(clock.exec(pty.text)?.[0]).toBe(frozen);
    for (let n = 0; n < 6; n++) pty.type("[");
    await pty.until("an earlier time", ({ text }) => (clock.exec(text)?.[0] ?? frozen) < frozen);
    for (let n = 0; n < 6; n++) pty.type("]");
    await pty.untilText(frozen);
    pty.type("\x1b[F");
    await pty.untilChip(/^LIVE/);

    pty.type("[");
    await pty.untilChip(/^FROZEN/);
    pty.type(" ");
    await pty.untilChip(/^LIVE/);
    // The keys of replay do nothing here.
    pty.type("5gkL+");
    await pty.until("a later time", ({ text }) => (clock.exec(text)?.[0] ?? "") > frozen);
    expect(pty.chip).toMatch(/^LIVE/);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test.each([[[]], [["local"]], [["view", "-i", "0.5"]]])(
  "all-smi %p is this machine, live",
  async (args) => {
    const pty = allSmi(args);
    await pty.untilChip(/^LIVE \| \d\d:\d\d:\d\d$/);
    await pty.untilText(/CPU +\d+%/);
    await pty.untilText("COMMAND");
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test(
  "--once prints one screen of this machine, with a measured CPU utilization",
  async () => {
    const { code, out, err } = await start([...PROGRAM, "view", "--once", "--size", "100x30"]).ended;
    expect([code, err]).toEqual([0, ""]);
    const rows = out.split("\n");
    expect(rows.length).toBe(31);
    expect(rows.every((row) => Bun.stringWidth(row) <= 100)).toBe(true);
    expect(out).toMatch(/CPU +\d+%/);
    expect(out).not.toContain("\x1b");
  },
  TEST_MS,
);

test(
  "simulated hosts are an overview",
  async () => {
    const { code, out } = await start([...PROGRAM, "view", "--once", "--source", "mock", "--mock", "5x4"]).ended;
    expect(code).toBe(0);
    for (let host = 1; host <= 5; host++) expect(out).toContain(`mock-000${host}`);
    expect(out).toContain("5 hosts");
  },
  TEST_MS,
);
