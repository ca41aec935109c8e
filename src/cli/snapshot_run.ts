import { machineClock } from "../clock.ts";
import { systemWords, UsageError } from "../errors.ts";
import { DEFAULT_COLUMNS, unknownKeys } from "../frame/csv.ts";
import type { Frame } from "../frame/frame.ts";
import { sections } from "../frame/schema.ts";
import { Sampler } from "../sampler.ts";
import { hostsDown } from "./hosts_down.ts";
import { checkOutputPath, writeOutputFile } from "./output_file.ts";
import { say } from "./say.ts";
import { type SnapshotOptions, STANDARD_OUTPUT } from "./snapshot.ts";
import { csvFormat, jsonFormat, prometheusFormat, type SnapshotFormat } from "./snapshot_format.ts";
import { openSources } from "./sources.ts";
import { writeStandardOutput } from "./standard_output.ts";

/** Prints what was asked for; sets the exit code 1 where no device was found. */
export async function snapshot(options: SnapshotOptions): Promise<void> {
  check(options);
  const toFile = options.output !== STANDARD_OUTPUT;
  const texts: string[] = [];
  const write = toFile ? async (text: string) => texts.push(text) > 0 : writeStandardOutput;
  const devices = await sample(options, formatOf(options, !toFile && process.stdout.isTTY), write);
  if (toFile) await writeFile(options.output, texts.join(""));
  if (devices !== 0) return;
  say("no device found");
  process.exitCode = 1;
}

async function writeFile(path: string, text: string): Promise<void> {
  try {
    await writeOutputFile(path, text);
  } catch (error) {
    throw new Error(`--output ${path}: cannot be written: ${systemWords(error)}`);
  }
}

function check({ format, query, samples, output }: SnapshotOptions): void {
  if (query && format !== "csv") throw new UsageError("--query names columns: it goes with --format csv");
  for (const name of unknownKeys(query ?? [])) {
    say(`--query: no device has "${name}", its cells stay empty`);
  }
  if (samples > 1 && format === "prometheus") throw new UsageError("--format prometheus holds one sample, not several");
  if (output !== STANDARD_OUTPUT) checkOutputPath(output);
}

function formatOf({ format, samples, query, pretty }: SnapshotOptions, terminal: boolean): SnapshotFormat {
  switch (format) {
    case "json":
      return jsonFormat(samples, pretty ?? terminal);
    case "csv":
      return csvFormat(samples, query ?? DEFAULT_COLUMNS);
    case "prometheus":
      return prometheusFormat;
  }
}

/** Writes the frames as they come, stopping early when nobody reads; the number of devices in all of them, `null` in that case. */
async function sample(
  options: SnapshotOptions,
  format: SnapshotFormat,
  write: (text: string) => Promise<boolean>,
): Promise<number | null> {
  const { sources, kind, hostname, warning } = await openSources(options);
  if (warning !== null) say(warning);
  const sampler = new Sampler({
    sources,
    include: options.include,
    hostname,
    source: kind,
    interval_ms: options.interval,
    duration_ms: 0,
    deadline_ms: options.timeoutMs,
    clock: machineClock,
  });
  const stop = new AbortController();
  const told = new Set<string>();
  let taken = 0;
  let devices = 0;
  let written = Promise.resolve(true);
  const put = (text: string) => {
    written = written.then(async (read) => read && (await write(text)));
    written.then(
      (read) => read || stop.abort(),
      () => stop.abort(),
    );
  };
  put(format.begin);
  try {
    await sampler.run(stop.signal, (frame) => {
      put(format.frame(frame, taken));
      taken += 1;
      devices += deviceCount(frame);
      const down = hostsDown(frame.scrapes ?? []);
      tell(down === null ? frame.errors : [...frame.errors, down], told);
      if (taken === options.samples) stop.abort();
    });
  } finally {
    sampler.close();
  }
  put(format.end);
  return (await written) ? devices : null;
}

const deviceCount = (frame: Frame): number =>
  (Object.keys(sections) as (keyof typeof sections)[]).reduce((sum, name) => sum + (frame[name]?.length ?? 0), 0);

/** Says on stderr what could not be read, each thing once. */
function tell(errors: readonly string[], told: Set<string>): void {
  for (const error of errors) {
    if (!told.has(error)) say(error);
    told.add(error);
  }
}
