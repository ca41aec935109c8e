import { type CommandWords, type OptionWords, optionsWithoutCommand, type ValueWords } from "./completion_words.ts";

/** Works as a file of `$fpath` as well as sourced. */
export function zshScript(program: CommandWords): string {
  const { name, commands } = program;
  const options = optionsWithoutCommand(program).map(optionSpec);
  return `#compdef ${name}
_${name}() {
  local curcontext=$curcontext state line
  _arguments -C -A '-*' ${[...options, "'1:command:->command'", "'*::argument:->argument'"].join(LINE_BREAK)}
  case $state in
    command)
      local -a commands=(
${commands.map((one) => `        ${quoted(`${one.name}:${one.description}`)}\n`).join("")}      )
      _describe command commands ;;
    argument)
      case $line[1] in
${commands.map(commandCase).join("")}      esac ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

const LINE_BREAK = " \\\n          ";

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function commandCase({ name, options, args }: CommandWords): string {
  const specs = [...options.map(optionSpec), ...args.map((one, n) => quoted(`${n + 1}${action(one)}`))];
  return `        ${name}) _arguments ${specs.join(LINE_BREAK)} ;;\n`;
}

/** `'(-o --output)'{-o,--output=}'[…]:path:_files'`, see `_arguments` in zshcompsys(1). */
function optionSpec({ flags, description, value }: OptionWords): string {
  const text = `[${description.replace(/[[\]\\:]/g, "\\$&")}]${value === null ? "" : action(value)}`;
  const names = flags.map((flag) => (flag.startsWith("--") && value !== null ? `${flag}=` : flag));
  if (names.length === 1) return quoted(`${names}${text}`);
  return `'(${flags.join(" ")})'{${names.join(",")}}${quoted(text)}`;
}

const action = (value: ValueWords): string => `${value.isOptional ? "::" : ":"}${value.name}:${howOf(value)}`;

function howOf({ name, choices, isList, isPath }: ValueWords): string {
  if (isPath) return "_files";
  if (isList) return `_values -s , ${name} ${choices.join(" ")}`;
  return choices.length > 0 ? `(${choices.join(" ")})` : " ";
}
