import type { Argument, Command, Option } from "commander";
import { SECTION_WORDS } from "./options.ts";

/** What can be written after an option, or as an argument. */
export interface ValueWords {
  /** The name of the value in the help: `path`, `seconds`. */
  readonly name: string;
  readonly isOptional: boolean;
  /** All there are, or some that make sense; empty where nothing can be said. */
  readonly choices: readonly string[];
  /** Whether it may be several of them, with commas between. */
  readonly isList: boolean;
  readonly isPath: boolean;
}

export interface OptionWords {
  /** `-o`, `--output`, or one of them. */
  readonly flags: readonly string[];
  readonly description: string;
  /** `null` where it takes none. */
  readonly value: ValueWords | null;
}

/** A command as far as a shell can complete it. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  readonly args: readonly ValueWords[];
  readonly commands: readonly CommandWords[];
}

/** Values that are paths, by their names in the help. */
const PATH_NAMES: readonly string[] = ["path", "file", "folder"];

/** What values may be that have no choices of their own, by their names in the help. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  sections: SECTION_WORDS,
  factor: ["0.25", "0.5", "1", "2", "4", "8", "16", "32", "64"],
};
const LIST_NAMES: readonly string[] = ["sections"];

/** The words of a command and of those below it, as its help has them. */
export function commandWords(command: Command): CommandWords {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  return {
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).map(optionWords),
    args: help.visibleArguments(command).map(argumentWords),
    commands: commands.map((one) => (one.name() === "help" ? helpWords(one, commands) : commandWords(one))),
  };
}

function optionWords({ flags, short, long, description, required, optional, argChoices }: Option): OptionWords {
  const name = /[<[](.+)[\]>]$/.exec(flags)?.[1] ?? "value";
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: required || optional ? valueWords(name, optional, argChoices) : null,
  };
}

const argumentWords = (argument: Argument): ValueWords =>
  valueWords(argument.name(), !argument.required, argument.argChoices);

const valueWords = (name: string, isOptional: boolean, choices: readonly string[] = KNOWN[name] ?? []): ValueWords => ({
  name,
  isOptional,
  choices,
  isList: LIST_NAMES.includes(name),
  isPath: PATH_NAMES.includes(name),
});

/** The command that commander adds by itself takes the others' names. */
const helpWords = (help: Command, commands: readonly Command[]): CommandWords => ({
  name: help.name(),
  description: help.description(),
  options: [],
  args: [
    valueWords(
      "command",
      true,
      commands.map((one) => one.name()),
    ),
  ],
  commands: [],
});

/** Without a command it is view: its options, and those of the program itself, stand there. */
export function optionsWithoutCommand({ options, commands }: CommandWords): OptionWords[] {
  const view = commands.find(({ name }) => name === "view")?.options ?? [];
  const own = new Set(options.flatMap(({ flags }) => flags));
  return [...options, ...view.filter(({ flags }) => !flags.some((flag) => own.has(flag)))];
}
