import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { pageBytes } from "../exporter_pages.ts";
import { nvidiaFrame } from "../frames.ts";
import { api, closeHosts, exporter, rawHost, response } from "../hosts.ts";
import { PROGRAM, record, start, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const all = (...options: string[]) => start([...PROGRAM, ...options]).ended;

function framesOf(path: string): Frame[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .map(decodeLine)
    .flatMap((line) => (line.kind === "frame" ? [line.frame] : []));
}

test("a host file is recorded, with what became of each host, and replays", async () => {
  const ours = await api(() => frameLine(nvidiaFrame));
  const [gpus, machine] = [
    await exporter(() => pageBytes("dcgm_exporter_made")),
    await exporter(() => pageBytes("node_exporter_made_1")),
  ];
  const silent = await rawHost(() => {});
  const rubbish = await rawHost((socket) => socket.write(response("200 OK", "<html></html>\n")));
  let killed = await exporter(() => pageBytes("all_smi_mock_nvidia"));
  const hostfile = join(folder, "hosts");
  writeFileSync(
    hostfile,
    `# the cluster\n${ours.id}\ngpu-07=${machine.id},${gpus.id}  # two exporters\n${silent.id}\n${rubbish.id}\n${killed.id}\n`,
  );
  const path = join(folder, "cluster.ndjson");
  const recorder = record("--source", "remote", "--hostfile", hostfile, "-o", path, "-i", "1", "--keep-free", "0");
  const isRight = ({ scrapes = [] }: Frame) => [0, 1, 4].every((n) => scrapes[n]?.up === true);
  await until("all that can be are up", () => framesOf(path).some(isRight));
  const { port } = killed;
  await killed.close();
  await until("it is lost", () => framesOf(path).at(-1)?.scrapes?.[4]?.error === "connection refused");
  killed = await exporter(() => pageBytes("all_smi_mock_nvidia"), port);
  await until("it is back", () => framesOf(path).slice(-1).some(isRight));
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);

  const recorded = framesOf(path);
  const ids = [ours.id, "gpu-07", silent.id, rubbish.id, killed.id];
  for (const { scrapes, source, hostname, gpus: devices, errors: said } of recorded) {
    expect({ source, hostname }).toEqual({ source: "remote", hostname: "remote" });
    expect(scrapes?.map(({ host }) => host)).toEqual(ids);
    const errors = scrapes?.map(({ error }) => error) ?? [];
    // On a machine that has no time, anybody may be too late.
    expect(errors[2]).toBe("timeout");
    expect(["not a metrics page", "timeout"]).toContain(errors[3] ?? "");
    expect(devices?.filter(({ host_id }) => host_id === ours.id)).toHaveLength(errors[0] === null ? 8 : 0);
    expect(devices?.filter(({ host_id }) => host_id === "gpu-07")).toHaveLength(
      errors[1] === null && !said.includes(`remote@gpu-07: ${gpus.id}: timeout`) ? 2 : 0,
    );
  }
  expect(recorded.some(({ scrapes }) => scrapes?.[3]?.error === "not a metrics page")).toBe(true);
  const header = JSON.parse(readFileSync(path, "utf8").split("\n")[0] ?? "") as Record<string, unknown>;
  expect(header).toMatchObject({ source: "remote", hosts: ids });

  const screen = await all("view", "--replay", path, "--once", "--size", "120x40");
  expect(screen.code).toBe(0);
  for (const words of ["5 hosts", "dgx-01", "gpu-07", "timeout", "not a metrics page"])
    expect(screen.out).toContain(words);
});

test("who is down is said at once, and that a token is wrong", async () => {
  const host = await exporter(() => pageBytes("dcgm_exporter_made"));
  const strict = await rawHost((socket) => socket.write(response("401 Unauthorized", "")));
  const hosts = ["--hosts", host.id, strict.id];
  const words = `1 of 2 hosts down: HTTP 401 (${strict.id}): --token-file has to hold the token that they want\n`;
  const path = join(folder, "strict.ndjson");
  const recorder = record("-o", path, ...hosts, "-i", "10", "--quiet", "--keep-free", "0");
  await until("it records", () => framesOf(path).length >= 1);
  recorder.child.kill("SIGTERM");
  expect(await recorder.ended).toMatchObject({ code: 0, err: `all-smi: ${words}` });
  const snapshot = await all("snapshot", ...hosts, "--include", "gpu");
  expect([snapshot.code, snapshot.err]).toEqual([0, `all-smi: ${words}`]);
});

test("a token that everybody on the network could read is told of, once", async () => {
  const token = join(folder, "token");
  writeFileSync(token, "s3cret\n", { mode: 0o600 });
  // A name that no machine has: nobody is asked.
  const asked = ["--hosts", "token.invalid:9", "--token-file", token];
  const words = "all-smi: the token passes the network in the clear to token.invalid:9: https:// encrypts it\n";
  const screen = await all("view", ...asked, "--once", "--size", "120x40");
  expect([screen.code, screen.err]).toEqual([0, words]);
  const path = join(folder, "in-the-clear.ndjson");
  const recorder = record("-o", path, ...asked, "-i", "10", "--keep-free", "0");
  await until("it records", () => framesOf(path).length >= 1);
  recorder.child.kill("SIGTERM");
  const { code, err } = await recorder.ended;
  expect([code, err.split(words).length]).toEqual([0, 2]);
});

test("hosts are shown live", async () => {
  const host = await exporter(() => pageBytes("dcgm_exporter_made"));
  const screen = await all("view", "--hosts", host.id, "--once", "--size", "120x40");
  expect({ code: screen.code, err: screen.err }).toEqual({ code: 0, err: "" });
  expect(screen.out).toContain("gpu-07");
});

test.each<[string, string[], string]>([
  ["no host at all", ["--source", "remote"], "no host: give --hosts or --hostfile"],
  ["a bad port", ["--hosts", "a:99999"], '--hosts: "a:99999": bad port "99999"'],
  ["a host twice", ["--hosts", "a", "a"], "--hosts: a:9090 is there already, --hosts"],
  ["another source", ["--source", "local", "--hosts", "a"], "--hosts goes with --source remote, not local"],
  ["simulated machines as well", ["--mock", "1x1", "--hosts", "a"], "cannot be used with option '--hosts <host...>'"],
  ["a token for nobody", ["--token-file", "none"], "--token-file is for other machines: it goes with --hosts or"],
  ["an authority for nobody", ["--mock", "1x1", "--tls-ca", "none"], "--tls-ca is for other machines"],
  ["a host file that is not there", ["--hostfile", join(folder, "none")], "no such file or directory"],
  ["an authority that is none", ["--hosts", "a", "--tls-ca", import.meta.path], "no certificate (PEM) in it"],
])("%s is said, with exit status 2", async (_, options, words) => {
  const { code, err } = await all("record", "-o", join(folder, "never.ndjson"), ...options);
  expect(err).toContain(words);
  expect(code).toBe(2);
});

test("a replay asks nobody", async () => {
  const { code, err } = await all("view", "--replay", "x", "--hosts", "a");
  expect({ code, err }).toEqual({ code: 2, err: "all-smi: --hosts is for live views: not with --replay\n" });
});
