import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { closeHosts, exporter, type Host, rawHost, response } from "../hosts.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const snapshot = (...options: string[]) => start([...PROGRAM, "snapshot", "--include", "gpu", ...options]).ended;

async function frameOf(...options: string[]): Promise<Frame> {
  const { out, err } = await snapshot(...options);
  if (out === "") throw new Error(err);
  return JSON.parse(out) as Frame;
}

const page = (utilization: number): string =>
  `DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-${utilization}"} ${utilization}\n`;

/** Those that were asked, by their ports. */
const asked = ({ scrapes = [] }: Frame): string[] => scrapes.map(({ host }) => host);

test("lists of hosts as schedulers print them, with steps and exclusions, on the command line and in a file", async () => {
  const hosts: Host[] = [await exporter(page(1)), await exporter(page(2)), await exporter(page(3))];
  const [a, b, c] = hosts.map(({ port }) => port);
  const [idA = "", idB = "", idC = ""] = hosts.map(({ id }) => id);
  const list = `127.0.0.1:[${a},${b},${c}]`;
  const all = await frameOf("--hosts", list);
  expect(asked(all)).toEqual([idA, idB, idC]);
  expect(all.gpus?.map(({ utilization }) => utilization)).toEqual([1, 2, 3]);
  expect(asked(await frameOf("--hosts", `127.0.0.[1,1-9/9]:[${a}-${a}],${idB}`))).toEqual([idA, idB]);
  expect(asked(await frameOf("--hosts", list, "-x", idB))).toEqual([idA, idC]);
  expect(asked(await frameOf("--hosts", `${list}!127.0.0.1:[${a},${c}]`))).toEqual([idB]);
  const file = join(folder, "hosts");
  writeFileSync(file, `# all of them\n${list} -x ${idA},${idC}\n`);
  expect(asked(await frameOf("--hostfile", file))).toEqual([idB]);
});

test("a host with a path is left out by its port, and a file_sd file may begin with a byte order mark", async () => {
  const [a, b] = [await exporter(page(1)), await exporter(page(2))];
  expect(asked(await frameOf("--hosts", `${a?.id}/metrics`, b?.id ?? "", "-x", a?.id ?? ""))).toEqual([b?.id ?? ""]);
  const file = join(folder, "sd.json");
  writeFileSync(file, `\ufeff${JSON.stringify([{ targets: [a?.id] }])}`);
  expect(asked(await frameOf("--hostfile", file))).toEqual([a?.id ?? ""]);
});

test("exclusions are as few as hosts", async () => {
  const file = join(folder, "excluded");
  writeFileSync(file, Array.from({ length: 9 }, (_, n) => `n${n}!x${n}-[1-4000]\n`).join(""));
  const { code, err } = await snapshot("--hostfile", file);
  expect([code, err]).toEqual([2, expect.stringContaining("excluded:5: more than 16384 hosts left out")]);
});

test.each([
  ["@gpu", '--hosts: "@gpu" is a group: hosts are given by their names'],
  ["n[1-9999,20000-29999]", "--hosts: [1-9999] is more than 4096"],
  ["r[1-100]n[1-100]", "--hosts: r[1-100]n[1-100] is more than 4096"],
  ["n[1-3]!n[1-3]", "no host: all that are named are left out"],
])("%s is refused in one line", async (hosts, words) => {
  const { code, out, err } = await snapshot("--hosts", hosts);
  expect([code, out, err.split("\n").length]).toEqual([2, "", 2]);
  expect(err).toContain(words);
});

test("a redirect of /metrics on the same host is followed, one to another host is not", async () => {
  const moved = (location: string) => response("302 Found", "", `Location: ${location}\r\n`);
  const elsewhere = await exporter(page(9));
  const within = await rawHost((socket, path) => {
    if (path === "/metrics") socket.write(moved("/metrics/"));
    else socket.write(path === "/metrics/" ? response("200 OK", page(7)) : response("404 Not Found", ""));
  });
  const away = await rawHost((socket) => socket.write(moved(`http://${elsewhere.id}/metrics`)));
  const frame = await frameOf("--hosts", within.id, away.id);
  expect(frame.gpus?.map(({ utilization }) => utilization)).toEqual([7]);
  expect(frame.scrapes?.map(({ error }) => error)).toEqual([null, "redirected"]);
  expect(elsewhere.asked).toEqual([]);
});

test("names in quotes, OpenMetrics, and a last line without its end are read", async () => {
  const quoted = await exporter('{"DCGM_FI_DEV_GPU_UTIL","gpu"="0","UUID"="GPU-1","k8s.pod"="a"} 41 # {t="x"} 1');
  const plain = await exporter(
    '# TYPE DCGM_FI_DEV_GPU_UTIL gauge\nDCGM_FI_DEV_GPU_UTIL{gpu="0","a.b"="c"} 42 1.7e9\n# EOF',
  );
  const noEnd = await exporter('DCGM_FI_DEV_GPU_TEMP{gpu="0"} +Inf\nDCGM_FI_DEV_GPU_UTIL{gpu="0"} 43');
  const frame = await frameOf("--hosts", quoted.id, plain.id, noEnd.id);
  expect(frame.scrapes?.map(({ error }) => error)).toEqual([null, null, null]);
  expect(frame.gpus?.map(({ utilization }) => utilization)).toEqual([41, 42, 43]);
});
