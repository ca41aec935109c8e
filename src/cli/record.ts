import { lstatSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { UsageError } from "../errors.ts";
import type { CodecName } from "../recording/codec.ts";
import { addHostOptions, type HostOptions } from "./host_options.ts";
import { addSourceOptions, type SourceOptions } from "./options.ts";
import { duration_ms, interval_ms, sizeBytes, wholeNumber } from "./values.ts";

export interface RecordOptions extends SourceOptions, HostOptions {
  output?: string;
  interval: number;
  duration: number;
  maxSize: number;
  maxFiles: number;
  compress?: CodecName;
  keepFree?: number;
  quiet?: boolean;
}

const HELP = `
Examples:
  all-smi record                       until Ctrl-C, into the default place
  all-smi record -o trace.ndjson.zst --duration 1h
  all-smi record -o dgx-01 -i 1 --max-size 1G
                                       dgx-01.ndjson.zst, in segments of 1 GiB
  all-smi record -o - | jq .t          plain lines to standard output

A recording that is already there is continued, also after a kill or a power
loss: nothing of it is lost. When the disk is full the recorder waits for room
and says in the next frame what is missing.

Signals: SIGINT and SIGTERM close the recording, a second one ends at once.
SIGHUP begins a new segment (on a terminal it closes, under nohup it does
nothing).

Exit status: 0; 1: something failed; 2: an option or the output path is wrong.`;

/** `all-smi record`: writes what the machine does into a recording. */
export function recordCommand(): Command {
  const command = new Command("record")
    .description("Records what this machine does, into one small file that survives anything.")
    .option("-o, --output <path>", "the recording; - is standard output (default: all-smi/records in the cache folder)")
    .addOption(
      new Option("-i, --interval <seconds>", "between frames, with fractions; 0.1 at least")
        .argParser(interval_ms)
        .default(3000, "3"),
    )
    .addOption(
      new Option("--duration <time>", "how long: 30s, 5m, 1h, 1d or seconds; 0: until a signal")
        .argParser(duration_ms)
        .default(0, "0"),
    )
    .addOption(
      new Option("--max-size <bytes>", "a segment is closed at this size on disk: 512K, 100M, 2G; 0: never")
        .argParser(sizeBytes)
        .default(100 << 20, "100M"),
    )
    .addOption(
      new Option("--max-files <n>", "segments to keep, the active one included").argParser(wholeNumber(1)).default(10),
    )
    .addOption(
      new Option("--compress <codec>", "how to compress (default: by the name of the output, otherwise zstd)").choices([
        "zstd",
        "gzip",
        "none",
      ]),
    )
    .addOption(
      new Option(
        "--keep-free <bytes>",
        "room to leave on the disk: below it this recording's segments older than an hour go, oldest first, then it pauses (default: 5 %, 1G at most)",
      ).argParser(sizeBytes),
    )
    .option("--quiet", "say nothing but errors");
  addSourceOptions(command.optionsGroup("Source:"), "gpu,cpu,memory,chassis,process,storage");
  addHostOptions(command.optionsGroup("Other machines:"));
  return command.addHelpText("after", HELP).action(async (options: RecordOptions, given: Command) => {
    const run = await import("./record_run.ts");
    if (options.output !== "-") return await run.recordToFile(options, outputPath(options));
    refuseForFiles(given, options);
    await run.recordToStandardOutput(options);
  });
}

const FOR_FILES = ["--max-size", "--max-files", "--keep-free"];

/** Standard output gets plain lines in one piece: whoever asks for more would not get it. */
function refuseForFiles(given: Command, { compress = "none" }: RecordOptions): void {
  if (compress !== "none") {
    throw new UsageError(
      `--output - is plain lines, not ${compress}: leave --compress out, or pipe them to ${compress}`,
    );
  }
  const isGiven = (flag: string): boolean =>
    given.options.some((one) => one.long === flag && given.getOptionValueSource(one.attributeName()) === "cli");
  const flag = FOR_FILES.find(isGiven);
  if (flag !== undefined) throw new UsageError(`${flag} is for files: not with --output -`);
}

/** Where a recording goes unless it is told otherwise. */
export function defaultRecording(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "all-smi", "records", "all-smi-record");
}

/** The path as it was given, or the default one. */
function outputPath({ output }: RecordOptions): string {
  if (output === undefined) return defaultRecording();
  if (output === "") throw new UsageError("--output is empty: give a path");
  if (isDirectory(output)) throw new UsageError(`${output}: is a directory; give the path of a file in it`);
  refuseDevice(output);
  return output;
}

/** The name may be completed: then it would be another file that is recorded to, beside the device that was meant. */
function refuseDevice(output: string): void {
  if (dirname(resolve(output)) === "/dev") {
    throw new UsageError(`${output}: no recording goes into /dev; --output - is standard output`);
  }
  if (isDevice(output)) throw new UsageError(`${output}: is no regular file; give another path`);
}

function isDevice(path: string): boolean {
  try {
    const found = lstatSync(path);
    return !found.isFile() && !found.isSymbolicLink();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
