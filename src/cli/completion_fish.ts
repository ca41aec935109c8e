import type { CommandWords, OptionWords, ValueWords } from "./completion_words.ts";

export function fishScript({ name, options, commands }: CommandWords): string {
  const first = `complete -c ${name} -n __fish_use_subcommand`;
  return `# fish completion of ${name}
complete -c ${name} -f
${options.map((option) => `${first} ${optionSpec(option)}\n`).join("")}${commands
  .map((one) => `${first} -a ${one.name} -d ${quoted(one.description)}\n`)
  .join("")}${commands.flatMap((one) => commandLines(name, one)).join("")}`;
}

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
  if (isList) return `-x -a ${quoted(`(__fish_append , ${words})`)}`;
  return words === "" ? "-x" : `-x -a ${quoted(words)}`;
}

const argumentSpec = ({ choices, isPath }: ValueWords): string => (isPath ? "-F" : `-a ${quoted(choices.join(" "))}`);
