import type { Argument, Command, Option } from "commander";

/** What can be written after an option, or as an argument. */
export interface ValueWords {
  /** The name of the value in the help: `path`, `seconds`. */
  readonly name: string;
  readonly isOptional: boolean;
  /** All there are; empty where it may be anything. */
  readonly choices: readonly string[];
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

const valueWords = (name: string, isOptional: boolean, choices: readonly string[] = []): ValueWords => ({
  name,
  isOptional,
  choices,
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
