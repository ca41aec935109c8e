import { Command, InvalidArgumentError, Option } from "commander";
import { type Column, parseColumns } from "../frame/csv.ts";
import { addHostOptions, type HostOptions } from "./host_options.ts";
import { addSourceOptions, type SourceOptions } from "./options.ts";
import { interval_ms, wholeNumber } from "./values.ts";

export interface SnapshotOptions extends SourceOptions, HostOptions {
  format: "json" | "csv" | "prometheus";
  pretty?: boolean;
  query?: Column[];
  samples: number;
  interval: number;
  timeoutMs: number;
  output: string;
}

/** The `--output` that is no file. */
export const STANDARD_OUTPUT = "-";
const DEFAULT_INTERVAL_S = "1";
const LONGEST_TIMEOUT_MS = 600_000;

const HELP = `
Examples:
  all-smi snapshot                              this machine, as JSON
  all-smi snapshot --include gpu --format csv   one line for each GPU
  all-smi snapshot --format csv --query hostname,name,utilization,detail.Vendor
  all-smi snapshot --format prometheus -o node.prom
                                                a file, whole or not at all
  all-smi snapshot --samples 5 -i 2             five, two seconds apart

Exit status: 0 (what could not be read is named on standard error); 1: no device
was found, or something failed; 2: an option is wrong.`;

/** `all-smi snapshot`: prints what the machine does right now. */
export function snapshotCommand(): Command {
  const command = new Command("snapshot")
    .description("Prints one frame (or a few) as JSON, CSV or Prometheus text.")
    .addOption(
      new Option("--format <format>", "how to print it").choices(["json", "csv", "prometheus"]).default("json"),
    )
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
      new Option("-i, --interval <seconds>", "between frames, with fractions; 0.1 at least")
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
  addSourceOptions(command.optionsGroup("Source:"), "gpu,cpu,memory,chassis");
  addHostOptions(command.optionsGroup("Other machines:"));
  return command.addHelpText("after", HELP).action(async (options: SnapshotOptions) => {
    const { snapshot } = await import("./snapshot_run.ts");
    await snapshot(options);
  });
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
