import { type Command, Option } from "commander";
import type { SectionName } from "../frame/schema.ts";
import type { CommandMode } from "../sources/local/mask.ts";
import { machineName, sectionList, wholeNumber } from "./values.ts";

/** What `--include` takes, in the order of the frame. */
export const SECTION_WORDS = ["gpu", "cpu", "memory", "chassis", "process", "storage"] as const;

/** What every command that reads devices must know: whose, which, and how much of them. */
export interface SourceOptions {
  source: "local" | "remote" | "mock";
  include: SectionName[];
  mock: string;
  seed: number;
  processes: number;
  command: CommandMode;
  hostRoot: string;
  hostname?: string;
}

const processRows = (): Option =>
  new Option("--processes <n>", "rows of processes at most; those that use a GPU always stay")
    .argParser(wholeNumber(0, 100_000))
    .default(100);

/** What of {@link SourceOptions} a command may have in a way of its own. */
interface Own {
  readonly kinds?: readonly SourceOptions["source"][];
  readonly processes?: Option;
}

const KINDS = ["local", "remote", "mock"] as const;

/** Adds the options of {@link SourceOptions} to a command. */
export function addSourceOptions(command: Command, include: string, own: Own = {}): Command {
  const { kinds = KINDS, processes = processRows() } = own;
  return command
    .addOption(new Option("--source <kind>", "where frames come from").choices(kinds).default("local"))
    .addOption(
      new Option("--include <sections>", `sections, of ${SECTION_WORDS.join(",")}`)
        .argParser(sectionList)
        .default(sectionList(include), include),
    )
    .addOption(processes)
    .addOption(
      new Option(
        "--command <how>",
        "command lines of processes: masked (passwords, tokens, keys become ***), full, or the name only",
      )
        .choices(["masked", "full", "name"])
        .default("masked"),
    )
    .addOption(
      new Option("--host-root <path>", "where the machine's /proc, /sys and /etc are (in a container)").default("/"),
    )
    .addOption(new Option("--hostname <name>", "name to use instead of the machine's own").argParser(machineName))
    .addOption(
      new Option("--mock <hosts x gpus>", "so many simulated machines and GPUs; means --source mock")
        .default("1x8")
        .implies({ source: "mock" })
        .conflicts(["hosts", "hostfile"]),
    )
    .addOption(
      new Option("--seed <n>", "what the simulation begins from").argParser(wholeNumber(0, 2 ** 32 - 1)).default(1),
    );
}
