import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { START_MS } from "../mock.ts";
import { machineIn } from "./host_root.ts";
import { type Outcome, PROGRAM, start, testFolder } from "./run.ts";
import { everySecond, writeRecording } from "./view_recordings.ts";

const folder = testFolder();

/** With this `TZ`; `null`: without one. */
const run = (TZ: string | null, ...words: readonly string[]): Promise<Outcome> =>
  start(["env", "-u", "TZ", ...(TZ === null ? [] : [`TZ=${TZ}`]), ...PROGRAM, ...words]).ended;

/** A moment by date(1), which goes by tzset(3). */
function byDate(TZ: string, t_ms: number): string {
  const { stdout } = Bun.spawnSync(["date", "-d", `@${Math.floor(t_ms / 1000)}`, "+%F %T"], {
    env: { ...process.env, TZ, LC_ALL: "C" },
  });
  return stdout.toString().trim();
}

const FORMS = ["UTC-3", "EST5EDT,M3.2.0,M11.1.0", "<+0330>-3:30", "AEST-10AEDT,M10.1.0,M4.1.0/3", ":Asia/Seoul"];

describe("TZ as tzset(3) takes it", () => {
  test("a device's time and the header are in that zone", async () => {
    for (const TZ of [...FORMS, "/usr/share/zoneinfo/Asia/Seoul", ""]) {
      const { out, err, code } = await run(
        TZ,
        "record",
        "--quiet",
        "--include",
        "memory",
        "--duration",
        "0.1",
        "-o",
        "-",
      );
      expect({ code, err }).toEqual({ code: 0, err: "" });
      const [header, frame] = out.split("\n").map((line) => JSON.parse(line || "{}"));
      expect([TZ, frame.memory[0].time]).toEqual([TZ, byDate(TZ, Date.parse(frame.t))]);
      const name = TZ.endsWith("Asia/Seoul") ? "Asia/Seoul" : TZ || "UTC";
      expect(header.timezone).toBe(name);
    }
  });

  test("so is the clock of a view, and a timecode", async () => {
    const path = writeRecording(folder, "view", everySecond(120));
    const t_ms = START_MS + 60_000;
    for (const TZ of FORMS) {
      const time = byDate(TZ, t_ms);
      const at = ["--start", `@${time}`, "--once", "--size", "120x40"];
      const { out, err, code } = await run(TZ, "view", "--replay", path, ...at);
      expect({ TZ, code, err }).toEqual({ TZ, code: 0, err: "" });
      expect(out.split("\n")[0]).toContain(time);
      const byClock = await run(TZ, "view", "--replay", path, "--start", `@${time.slice(11)}`, "--once");
      expect(byClock.out.split("\n")[0]).toContain(time);
    }
  });

  test("what cannot be understood is said in one line, and times are in UTC", async () => {
    const path = writeRecording(folder, "unknown", everySecond(3));
    for (const TZ of ["Nowhere/Land", ":/etc/hosts", "+03:00"]) {
      const { out, err, code } = await run(TZ, "view", "--replay", path, "--once", "--size", "120x40");
      expect({ code, err }).toEqual({ code: 0, err: `all-smi: TZ=${TZ} is no time zone: times are in UTC\n` });
      expect(out.split("\n")[0]).toContain(byDate("UTC", START_MS));
      const shot = await run(TZ, "snapshot", "--include", "memory");
      expect(shot.err).toBe(err);
    }
  });
});

describe("a recording names any zone", () => {
  test("also one that POSIX writes: it is shown on request, and said", async () => {
    const path = writeRecording(folder, "posix", everySecond(3));
    const text = readFileSync(path, "utf8").replace("Asia/Seoul", "<+0330>-3:30");
    await Bun.write(path, text);
    expect(JSON.parse((await run("UTC", "info", "--json", path)).out).timezone).toBe("<+0330>-3:30");
    expect((await run("UTC", "view", "--replay", path, "--once")).code).toBe(0);
  });
});

describe("without TZ, the machine below --host-root", () => {
  const timeIn = async (root: string): Promise<{ time: string; t_ms: number; err: string }> => {
    const { out, err } = await run(null, "snapshot", "--include", "memory", "--host-root", root);
    const frame: Frame & { t: string } = JSON.parse(out);
    return { time: frame.memory?.[0]?.time ?? "", t_ms: Date.parse(frame.t), err };
  };
  const expectZone = async (root: string, TZ: string): Promise<void> => {
    const { time, t_ms, err } = await timeIn(root);
    expect({ time, err }).toEqual({ time: byDate(TZ, t_ms), err: "" });
  };

  test("has its own zone, by a link that is followed there", async () => {
    await expectZone(machineIn(folder, { "etc/localtime": "-> /usr/share/zoneinfo/Asia/Seoul" }), "Asia/Seoul");
    const over = { "etc/localtime": "-> /etc/static/localtime", "etc/static/localtime": "-> ../zoneinfo/Asia/Kolkata" };
    await expectZone(machineIn(folder, over), "Asia/Kolkata");
  });

  test("by a file, of which only what is in it tells", async () => {
    const root = machineIn(folder, { "etc/timezone": "Etc/UTC\n" });
    cpSync("/usr/share/zoneinfo/America/St_Johns", join(root, "etc/localtime"), { dereference: true });
    await expectZone(root, "America/St_Johns");
    mkdirSync(join(root, "usr/share"), { recursive: true });
    cpSync("/usr/share/zoneinfo", join(root, "usr/share/zoneinfo"), { recursive: true });
    const { out } = await run(
      null,
      "record",
      "--include",
      "memory",
      "--duration",
      "0.1",
      "-o",
      "-",
      "--host-root",
      root,
    );
    expect(JSON.parse(out.split("\n")[0] ?? "").timezone).toBe("America/St_Johns");
  });

  test("by /etc/timezone where there is nothing else; rubbish is said", async () => {
    await expectZone(machineIn(folder, { "etc/timezone": "Asia/Seoul\n" }), "Asia/Seoul");
    const { time, t_ms, err } = await timeIn(machineIn(folder, { "etc/localtime": "rubbish" }));
    expect(time).toBe(byDate("UTC", t_ms));
    expect(err).toBe("all-smi: /etc/localtime is no time zone: times are in UTC\n");
  });
});
