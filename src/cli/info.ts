import { Command } from "commander";

export interface InfoOptions {
  json?: boolean;
}

const HELP = `
Examples:
  all-smi info trace.ndjson.zst
  all-smi info /var/lib/all-smi --json | jq .events

Exit status: 0; 1: something failed; 2: there is no recording at the path.`;

/** `all-smi info`: what a recording is. */
export function infoCommand(): Command {
  return new Command("info")
    .description("Says what a recording holds: span, hosts, size, gaps, events, how it ended.")
    .argument("<path>", "a recording, one of its segments, or the folder it is in")
    .option("--json", "as JSON")
    .addHelpText("after", HELP)
    .action(async (path: string, options: InfoOptions) => {
      const { info } = await import("./info_run.ts");
      await info(path, options);
    });
}
