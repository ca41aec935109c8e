import { Command, InvalidArgumentError, Option } from "commander";
import { machineClock } from "../clock.ts";
import { UsageError } from "../errors.ts";
import { type Column, DEFAULT_COLUMNS, parseColumns } from "../frame/csv.ts";
import type { Frame } from "../frame/frame.ts";
import { sections } from "../frame/schema.ts";
import { Sampler } from "../sampler.ts";
import { addSourceOptions, type SourceOptions } from "./options.ts";
import { checkOutputPath, writeOutputFile } from "./output_file.ts";
import { csvFormat, jsonFormat, prometheusFormat, type SnapshotFormat } from "./snapshot_format.ts";
import { openSources } from "./sources.ts";
import { writeStandardOutput } from "./standard_output.ts";
import { interval_ms, wholeNumber } from "./values.ts";

interface SnapshotOptions extends SourceOptions {
  format: "json" | "csv" | "prometheus";
  pretty?: boolean;
  query?: Column[];
  samples: number;
  interval: number;
  timeoutMs: number;
  output: string;
}

const STANDARD_OUTPUT = "-";
const DEFAULT_INTERVAL_S = "1";
const LONGEST_TIMEOUT_MS = 600_000;

const HELP = `
Examples:
  all-smi snapshot                                   this machine, as JSON
  all-smi snapshot --include gpu --format csv        one line a GPU
  all-smi snapshot --format csv --query hostname,name,utilization,detail.Vendor
  all-smi snapshot --format prometheus -o node.prom  a file that is there whole or not at all
  all-smi snapshot --samples 5 --interval 2          five of them, two seconds apart

Exit status: 0 (parts that could not be read are named on stderr), 1 no device was found or something failed,
2 an option is wrong.`;

/** `all-smi snapshot`: prints what the machine does right now. */
export function snapshotCommand(): Command {
  const command = new Command("snapshot")
    .description("Prints one frame (or a few) as JSON, CSV or Prometheus text.")
    .addOption(new Option("--format <format>", "of the output").choices(["json", "csv", "prometheus"]).default("json"))
    .addOption(
      new Option("--pretty [yes]", "indented JSON: true or false (default: where the output is a terminal)").argParser(
        truth,
      ),
    )
    .addOption(
      new Option("--query <columns>", "CSV columns, as paths into a device: name,detail.Vendor").argParser(columns),
    )
    .addOption(new Option("--samples <n>", "how many frames").argParser(wholeNumber(1)).default(1))
    .addOption(
      new Option("--interval <seconds>", "from one frame to the next")
        .argParser(interval_ms)
        .default(interval_ms(DEFAULT_INTERVAL_S), DEFAULT_INTERVAL_S),
    )
    .addOption(
      new Option("--timeout-ms <ms>", "how long a frame waits for what is being read")
        .argParser(wholeNumber(1, LONGEST_TIMEOUT_MS))
        .default(5000),
    )
    .addOption(
      new Option("-o, --output <file>", "written whole or not at all; - is standard output").default(STANDARD_OUTPUT),
    );
  addSourceOptions(command, "gpu,cpu,memory,chassis");
  return command.addHelpText("after", HELP).action(snapshot);
}

function truth(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("Give true or false.");
  return text === "true";
}

function columns(text: string): Column[] {
  const found = parseColumns(text);
  if (found === null) throw new InvalidArgumentError("Give paths such as name,utilization,detail.Vendor.");
  return found;
}

async function snapshot(options: SnapshotOptions): Promise<void> {
  check(options);
  const toFile = options.output !== STANDARD_OUTPUT;
  const texts: string[] = [];
  const write = toFile ? async (text: string) => texts.push(text) > 0 : writeStandardOutput;
  const devices = await sample(options, formatOf(options, !toFile && process.stdout.isTTY), write);
  if (toFile) writeOutputFile(options.output, texts.join(""));
  if (devices > 0) return;
  console.error("all-smi: no device found");
  process.exitCode = 1;
}

function check({ format, query, samples, output }: SnapshotOptions): void {
  if (query && format !== "csv") throw new UsageError("--query names columns: it goes with --format csv");
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

/** Writes the frames as they come, stopping early when nobody reads; the number of devices in all of them. */
async function sample(
  options: SnapshotOptions,
  format: SnapshotFormat,
  write: (text: string) => Promise<boolean>,
): Promise<number> {
  const { sources, kind, hostname } = await openSources(options);
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
      tell(frame.errors, told);
      if (taken === options.samples) stop.abort();
    });
  } finally {
    sampler.close();
  }
  put(format.end);
  await written;
  return devices;
}

const deviceCount = (frame: Frame): number =>
  (Object.keys(sections) as (keyof typeof sections)[]).reduce((sum, name) => sum + (frame[name]?.length ?? 0), 0);

/** Says on stderr what could not be read, each thing once. */
function tell(errors: readonly string[], told: Set<string>): void {
  for (const error of errors) {
    if (!told.has(error)) console.error(`all-smi: ${error}`);
    told.add(error);
  }
}
