import { type CommandWords, type OptionWords, optionsWithoutCommand, type ValueWords } from "./completion_words.ts";

export function fishScript(program: CommandWords): string {
  const { name, commands } = program;
  const first = `complete -c ${name} -n __fish_use_subcommand`;
  const names = commands.map((one) => one.name).join(" ");
  const without = `complete -c ${name} -n 'not __fish_seen_subcommand_from ${names}'`;
  const options = optionsWithoutCommand(program).map((option) => `${without} ${optionSpec(option)}\n`);
  return `# fish completion of ${name}
complete -c ${name} -f
${LIST_FUNCTION}${options.join("")}${commands
  .map((one) => `${first} -a ${one.name} -d ${quoted(one.description)}\n`)
  .join("")}${commands.flatMap((one) => commandLines(name, one)).join("")}`;
}

/** The words of a list that are not there yet, behind those that are. fish's own __fish_append offers them again. */
const LIST_FUNCTION = `function __all_smi_list
  set -l before (commandline -ct | string replace -r '^--[^=]*=' '' | string match -r '.*,')
  for word in $argv
    string match -q "*,$word,*" ",$before"; or echo "$before$word"
  end
end
`;

const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;

function commandLines(program: string, { name, options, args }: CommandWords): string[] {
  const inside = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`;
  return [
    ...options.map((option) => `${inside} ${optionSpec(option)}\n`),
    ...args.flatMap((one) => (one.isPath || one.choices.length > 0 ? [`${inside} ${argumentSpec(one)}\n`] : [])),
  ];
}

function optionSpec({ flags, description, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [
    ...names,
    ...(value === null || value.isOptional ? [] : [valueSpec(value)]),
    `-d ${quoted(description)}`,
  ].join(" ");
}

function valueSpec({ choices, isList, isPath }: ValueWords): string {
  if (isPath) return "-r -F";
  const words = choices.join(" ");
  if (isList) return `-x -a ${quoted(`(__all_smi_list ${words})`)}`;
  return words === "" ? "-x" : `-x -a ${quoted(words)}`;
}

const argumentSpec = ({ choices, isPath }: ValueWords): string => (isPath ? "-F" : `-a ${quoted(choices.join(" "))}`);
