import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { nvidiaFrame } from "../frames.ts";
import { api, closeHosts, exporter } from "../hosts.ts";
import { Pty } from "./pty.ts";
import { PROGRAM, record, start, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const all = (...options: string[]) => start([...PROGRAM, ...options]).ended;

/** Sets a terminal's title, clears it, turns the writing, and begins a new line. */
const ATTACK = "\x1b]0;taken\x07\x1b[2J\x9b31m\u202eabc\u2066\u200f\x7f\r\n\u2028all-smi: all is well";

/** What acts on a terminal or on who reads it, whoever wrote it; a line's end is ours. */
const UNCLEAN_CLASS =
  "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]";
const UNCLEAN = new RegExp(UNCLEAN_CLASS);

/** The same frame with the attack in each of its texts, and in the keys of free-form maps. */
function attacked<T>(value: T, isMap = false): T {
  if (typeof value === "string") return (value + ATTACK) as T;
  if (Array.isArray(value)) return value.map((one) => attacked(one)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [
    isMap ? key + ATTACK : key,
    key === "t" || key === "source" ? one : attacked(one, key === "detail"),
  ]);
  return Object.fromEntries(entries);
}

const hostile: Frame = attacked({
  ...nvidiaFrame,
  errors: ["nvidia: it failed", "cpu: it failed"],
});

const events: Frame["events"] = [
  { kind: `xid${ATTACK}`, severity: "critical", t: "", host: ATTACK, device: `gpu${ATTACK}`, text: `fell${ATTACK}` },
];
const served = { ...hostile, events };

const label = ATTACK.replaceAll("\n", "\\n");
const PAGE = `DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="H100${label}",Hostname="node${label}"} 7\n`;

test("no command prints what a scraped host means for the terminal", async () => {
  const hosts = [await api(() => frameLine(served)), await exporter(PAGE)];
  const options = ["--source", "remote", "--hosts", ...hosts.map(({ id }) => id)];
  for (const format of [
    ["json"],
    ["json", "--pretty"],
    ["csv", "--query", "name,hostname,command,detail"],
    ["prometheus"],
  ]) {
    const { code, out, err } = await all("snapshot", ...options, "--format", ...format);
    expect(code).toBe(0);
    expect(out).toContain("H100");
    expect(err).toContain("it failed");
    expect(out).not.toMatch(UNCLEAN);
    expect(err).not.toMatch(UNCLEAN);
    // Nor for whoever reads the JSON.
    if (format[0] === "json") expect(JSON.stringify(JSON.parse(out))).not.toContain("\\u");
  }
});

test("neither does its recorder, and nothing of it is in the recording", async () => {
  const host = await api(() => frameLine(served));
  const path = join(folder, "hostile.ndjson");
  const options = ["--source", "remote", "--hosts", host.id, "-o", path, "-i", "1", "--keep-free", "0"];
  const pty = new Pty([...PROGRAM, "record", ...options], { columns: 400 });
  await until("an error on the line", () => pty.output.includes("it failed"));
  pty.child.kill("SIGTERM");
  expect(await pty.child.exited).toBe(0);
  // What it writes itself: the line is erased, and begun anew.
  expect(Buffer.from(pty.output.replaceAll("\r\x1b[K", "").replaceAll("\r\n", ""), "latin1").toString()).not.toMatch(
    UNCLEAN,
  );
  const text = readFileSync(path, "utf8");
  expect(text).toContain("it failed");
  expect(text).not.toMatch(UNCLEAN);
  expect(text).not.toMatch(/\\[bfnrtu]/);
});

test("a recording that holds it, whoever made it, says nothing of it either", async () => {
  const path = join(folder, "made.ndjson");
  const header = {
    schema: 1,
    header: true,
    t: "2026-04-18T12:00:00.000Z",
    interval_ms: 1000,
    hosts: [ATTACK],
    timezone: ATTACK,
  };
  const frames = [0, 1, 2].map((seq) =>
    frameLine({ ...served, seq, elapsed_ms: seq * 1000, t_ms: served.t_ms + seq * 1000 }),
  );
  writeFileSync(path, `${JSON.stringify(header)}\n${frames.join("\n")}\n`);
  for (const command of [
    ["info", path],
    ["info", "--json", path],
    ["view", "--replay", path, "--once", "--size", "200x60"],
  ]) {
    const { code, out, err } = await all(...command);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).not.toMatch(UNCLEAN);
  }
});

/** A host may serve a text of any length: nothing that is done with it takes more than by its length. */
test("a million backslashes from one host keep nobody from recording, and from ending", async () => {
  const [process] = nvidiaFrame.processes ?? [];
  const long = ["\\", "a=", "a://", "-sk-", ' "', "eyJ"].map((unit) => unit.repeat(Math.ceil(1_000_000 / unit.length)));
  const served = (command: string) =>
    ({ ...nvidiaFrame, processes: [{ ...process, uses_gpu: true, command }] }) as Frame;
  const bad = await Promise.all(long.map((command) => api(() => frameLine(served(command)))));
  const good = await api(() => frameLine(nvidiaFrame));
  const path = join(folder, "long.ndjson");
  const options = [
    "--source",
    "remote",
    "--hosts",
    ...bad.map(({ id }) => id),
    good.id,
    "-o",
    path,
    "-i",
    "2",
    "--keep-free",
    "0",
  ];
  const recorder = record(...options);
  const recorded = () =>
    existsSync(path)
      ? readFileSync(path, "utf8")
          .split("\n")
          .map(decodeLine)
          .flatMap((line) => (line.kind === "frame" ? [line.frame] : []))
      : [];
  await until("frames", () => recorded().filter(({ scrapes = [] }) => scrapes.every(({ up }) => up)).length >= 2);
  recorder.child.kill("SIGINT");
  expect((await recorder.ended).code).toBe(0);
  const longest = recorded().flatMap((frame) =>
    (frame.processes ?? []).map(({ command }) => Buffer.byteLength(command)),
  );
  expect(Math.max(...longest)).toBeLessThanOrEqual(512);
});

test("what a node says of others is masked as its commands are, and so is the query of its URL", async () => {
  const secret = "Zq5ecretX";
  const said = `run --password ${secret} of http://me:${secret}@h failed with token=${secret}`;
  const event = { kind: "error", severity: "warning" as const, t: "", host: "h", device: null, text: said };
  const host = await api(() => frameLine({ ...nvidiaFrame, errors: [`gpus: ${said}`], events: [event] }));
  const path = join(folder, "said.ndjson");
  const hosts = ["--hosts", host.id, `127.0.0.1:9/x?token=${secret}`];
  const { code, err } = await record("-o", path, "--duration", "1s", "-i", "0.5", ...hosts).ended;
  const shown = readFileSync(path, "utf8") + err + (await all("info", path)).out;
  expect(code).toBe(0);
  expect(shown).toContain("run --password *** of");
  expect(shown).toContain("127.0.0.1:9/x?token=***");
  expect(shown).not.toContain(secret);
});
