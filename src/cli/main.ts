import { existsSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { version } from "../../package.json";
import { oneLine, SchemaError, UsageError } from "../errors.ts";
import { cleanText } from "../frame/clean_text.ts";

/** What commander means by an exit that is no error: help or version was shown. */
const SHOWN = 0;

const HELP = `
Without a command it is view, with its options.

Examples:
  all-smi                                     this machine, live
  all-smi record -o trace --duration 10m      what it does, into a file
  all-smi --replay trace.ndjson.zst           that file, played back
  all-smi doctor                              what can be read here, and what not`;

/** In the order in which help lists them. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["view", async () => (await import("./view.ts")).viewCommand()],
  ["local", async () => (await import("./view.ts")).localCommand()],
  ["record", async () => (await import("./record.ts")).recordCommand()],
  ["snapshot", async () => (await import("./snapshot.ts")).snapshotCommand()],
  ["info", async () => (await import("./info.ts")).infoCommand()],
  ["api", async () => (await import("./api.ts")).apiCommand()],
  ["mock", async () => (await import("./mock.ts")).mockCommand()],
  ["doctor", async () => (await import("./doctor.ts")).doctorCommand()],
  ["completion", async () => (await import("./completion.ts")).completionCommand()],
]);

/** A command that is named needs no other, but for the one that lists them all: to put all together takes 10 ms. */
function commandsFor(name: string): Promise<Command[]> {
  const named = name === "completion" ? undefined : COMMANDS.get(name);
  return Promise.all((named === undefined ? [...COMMANDS.values()] : [named]).map((make) => make()));
}

async function program(name: string): Promise<Command> {
  const command = new Command("all-smi")
    .description("Shows and records what GPU machines do, and plays it back.")
    .version(version, "-V, --version")
    .showSuggestionAfterError()
    .addHelpText("after", HELP);
  for (const one of await commandsFor(name)) command.addCommand(one);
  return command;
}

/** Errors are thrown, not printed: one place says them, as one line. */
function quiet(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(quiet);
  return command;
}

/** Without a command it is `view`, with its options: `all-smi -i 2`, `all-smi --replay trace.ndjson.zst`. */
function withCommand([bun = "", script = "", ...words]: readonly string[]): string[] {
  const [first] = words;
  const isView = first === undefined || (first.startsWith("-") && !["-h", "--help", "-V", "--version"].includes(first));
  return [bun, script, ...(isView ? ["view"] : []), ...words];
}

/** Who names a file where a command or nothing is due most likely wants to see it. */
function playHint({ code }: CommanderError): string {
  if (code !== "commander.excessArguments" && code !== "commander.unknownCommand") return "";
  const path = process.argv.slice(2).find((word) => !word.startsWith("-") && existsSync(word));
  return path === undefined ? "" : ` (To play a recording: all-smi view --replay ${path})`;
}

/** What is wrong may be in the words of a file, a name or a program. */
const complain = (words: string): void => console.error(cleanText(words));

function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === SHOWN) return SHOWN;
    if (error.code === "commander.help") return 2;
    const words = oneLine(error).replace(/^error: /, "");
    complain(`all-smi: ${words}${playHint(error)}`);
    return 2;
  }
  complain(error instanceof SchemaError ? error.message : `all-smi: ${oneLine(error)}`);
  return error instanceof UsageError ? 2 : 1;
}

async function main(): Promise<number> {
  try {
    const words = withCommand(process.argv);
    await quiet(await program(words[2] ?? "")).parseAsync(words);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return fail(error);
  }
}

process.exit(await main());
