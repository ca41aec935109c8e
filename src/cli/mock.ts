import { Command, Option } from "commander";
import { wholeNumber } from "./values.ts";

export interface MockCommandOptions {
  nodes: number;
  gpus: number;
  port: number;
  threads: number;
  processes: number;
  seed: number;
  down: number;
  slow: number;
  garbage: number;
  hostfile?: string;
}

/** What the simulation takes. Not imported from there: commands are described without loading a source. */
export const MOST_NODES = 1000;
export const MOST_GPUS = 16;
const MOST_THREADS = 1024;
/** Their numbers end before those of the jobs' processes begin. */
const MOST_PROCESSES = 5000;
const LAST_PORT = 65_535;

const HELP = `
Examples:
  all-smi mock --nodes 100 --hostfile nodes
  all-smi view --hostfile nodes
  all-smi record --hostfile nodes -i 1 -o cluster
  all-smi mock --nodes 100 --down 5 --slow 3 --garbage 2
                        the last ten fail: first those that answer with garbage,
                        then the slow ones, then those that are down

Each node serves what \`all-smi api\` would serve there, a frame a second. What
happens to the nodes follows from the seed and the time of day.

SIGINT and SIGTERM end it.

Exit status: 0; 1: something failed; 2: an option is wrong, or a port is taken.`;

const count = (flags: string, words: string, least: number, most: number, usual: number): Option =>
  new Option(flags, words).argParser(wholeNumber(least, most)).default(usual);

/** `all-smi mock`: a cluster to try things with. */
export function mockCommand(): Command {
  return new Command("mock")
    .description("Serves simulated GPU machines on this one, for trying out view and record with a cluster.")
    .addOption(count("--nodes <n>", "how many machines", 1, MOST_NODES, 100))
    .addOption(count("--gpus <n>", "GPUs of each", 0, MOST_GPUS, 8))
    .addOption(count("-p, --port <n>", "of the first on 127.0.0.1; the others follow it", 1, LAST_PORT, 20_001))
    .addOption(count("--threads <n>", "hardware threads of each", 1, MOST_THREADS, 224))
    .addOption(count("--processes <n>", "processes of each", 0, MOST_PROCESSES, 100))
    .addOption(count("--seed <n>", "what the simulation begins from", 0, 2 ** 32 - 1, 1))
    .optionsGroup("Failures:")
    .addOption(count("--down <n>", "nodes where nobody listens", 0, MOST_NODES, 0))
    .addOption(count("--slow <n>", "nodes that take longer to answer than anybody waits", 0, MOST_NODES, 0))
    .addOption(count("--garbage <n>", "nodes that answer with bytes that mean nothing", 0, MOST_NODES, 0))
    .optionsGroup("Output:")
    .option("--hostfile <path>", "is written once all listen: the nodes, for view and record")
    .addHelpText("after", HELP)
    .action(async (options: MockCommandOptions) => await (await import("./mock_run.ts")).mock(options));
}
