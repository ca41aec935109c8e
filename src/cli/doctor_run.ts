import { version } from "../../package.json";
import type { Finding } from "../doctor/finding.ts";
import type { Setup } from "../doctor/machine.ts";
import { countStates, type Report } from "../doctor/report.ts";
import { runChecks } from "../doctor/run.ts";
import { UsageError } from "../errors.ts";
import { resolveOutput } from "../recording/name.ts";
import { existsBelow } from "../sources/local/below_root.ts";
import { colourDepth } from "../view/theme.ts";
import type { DoctorOptions } from "./doctor.ts";
import { DoctorText } from "./doctor_text.ts";
import { defaultRecording } from "./record.ts";
import { writeStandardOutput } from "./standard_output.ts";

/** `all-smi doctor`. Sets the exit status to 1 where there is a problem. */
export async function doctor({ json, hostRoot }: DoctorOptions): Promise<void> {
  const root = hostRoot.replace(/(?<!\/)\/+$/, "");
  if (!existsBelow(root, "/proc")) throw new UsageError(`--host-root ${hostRoot}: there is no proc in it`);
  const setup = setupOf(root);
  const findings = json ? await printJson(setup) : await printText(setup);
  if (findings.some(({ state }) => state === "problem")) process.exitCode = 1;
}

function setupOf(root: string): Setup {
  const { isTTY, columns, rows } = process.stdout;
  return {
    root,
    version,
    recording: resolveOutput(defaultRecording(), undefined).path,
    terminal: isTTY ? { columns, rows } : null,
  };
}

async function printJson(setup: Setup): Promise<Finding[]> {
  const findings: Finding[] = [];
  await runChecks(setup, (found) => findings.push(...found));
  const report: Report = {
    all_smi_version: setup.version,
    host_root: setup.root || "/",
    findings,
    counts: countStates(findings),
  };
  await writeStandardOutput(`${JSON.stringify(report, null, 2)}\n`);
  return findings;
}

/** Where it is no terminal, or one that does not say. */
const USUAL_COLUMNS = 80;
/** Longer lines are hard to read. */
const MOST_COLUMNS = 120;

/** Each finding as it comes: a driver may take its time. */
async function printText(setup: Setup): Promise<Finding[]> {
  const columns = Math.min(setup.terminal?.columns || USUAL_COLUMNS, MOST_COLUMNS);
  const hasColours = setup.terminal !== null && colourDepth(process.env) !== "none";
  const text = new DoctorText(columns, hasColours);
  const findings: Finding[] = [];
  let written = Promise.resolve(true);
  const write = (part: string) => {
    written = written.then(async (isRead) => isRead && (await writeStandardOutput(part)));
  };
  await runChecks(setup, (found) => {
    findings.push(...found);
    for (const finding of found) write(text.finding(finding));
  });
  write(text.summary(countStates(findings)));
  await written;
  return findings;
}
