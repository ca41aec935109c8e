import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { closeHosts, exporter } from "../hosts.ts";
import { record, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const LABELS = 'gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H100",Hostname="node-1"';
const page = (xid: number, message: string | null): string =>
  `DCGM_FI_DEV_GPU_TEMP{${LABELS}} 40\n` +
  `DCGM_FI_DEV_XID_ERRORS{${LABELS}${message === null ? "" : `,err_code="${xid}",err_msg="${message}"`}} ${xid}\n`;

/** What an exporter tells, and how bad that is: as the kernel's log and the driver's library have it. */
const TOLD: readonly (readonly [xid: number, message: string | null, severity: string])[] = [
  [109, null, "critical"],
  [74, null, "critical"],
  [63, null, "info"],
  [31, "MMU fault, nonfatal", "warning"],
  [145, "RLW error, Fatal", "critical"],
  [4711, "the node needs a reboot", "critical"],
  [4712, "correctable", "warning"],
];

test("an exporter's XIDs are as bad as those of the kernel's log", async () => {
  let now: readonly [number, string | null] = [0, null];
  const host = await exporter(() => page(...now));
  const path = join(folder, "xids.ndjson");
  const recorder = record("--source", "remote", "--hosts", host.id, "-o", path, "-i", "0.5", "--keep-free", "0");
  const written = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
  await until("a frame", () => written().includes('"gpus":[{'));
  for (const [xid, message] of TOLD) {
    now = [xid, message];
    await until(`XID ${xid}`, () => written().includes(`"text":"XID ${xid}`));
  }
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const frames = written()
    .split("\n")
    .filter((line) => line.includes('"hostname"') && line.includes('"events":[{'));
  const events: { severity: string; text: string }[] = frames.flatMap((line) => JSON.parse(line).events);
  expect(events.map(({ text, severity }) => [/^XID \d+/.exec(text)?.[0], severity])).toEqual(
    TOLD.map(([xid, , severity]) => [`XID ${xid}`, severity]),
  );
});
