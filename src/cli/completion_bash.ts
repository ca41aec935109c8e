import { type CommandWords, type OptionWords, optionsWithoutCommand, type ValueWords } from "./completion_words.ts";

/**
 * For bash 3.2 and newer. Where the function finds nothing, bash completes files (`-o default`), which is what paths
 * want; anything else takes that back, where bash is new enough to have `compopt`.
 */
export function bashScript(program: CommandWords): string {
  const { name, commands } = program;
  const names = commands.map((one) => one.name);
  return `# bash completion of ${name}
_${identifier(name)}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= words= list= before= i
  # --name=value comes as three words.
  if [ "$word" = = ]; then word=
  elif [ "$previous" = = ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [ "$COMP_CWORD" -gt 1 ]; then
    # Without a command it is view.
    case \${COMP_WORDS[1]} in
      -*) command=view ;;
      *) command=\${COMP_WORDS[1]} ;;
    esac
  fi
  case $command:$previous in
${commands.flatMap(valueCases).join("")}    *)
      case $command:$word in
        :-*) ${wordsAre(flagsOf(optionsWithoutCommand(program)))} ;;
        :*) ${wordsAre(names)} ;;
${commands.flatMap(wordCases).join("")}      esac ;;
  esac
  compopt +o default 2>/dev/null
  if [ -n "$list" ]; then
    # After a comma what is not there yet; a comma may follow.
    case $word in *,*) before=\${word%,*}, ;; esac
    for i in $list; do
      case ,$before in *",$i,"*) ;; *) words="$words $before$i" ;; esac
    done
    compopt -o nospace 2>/dev/null
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _${identifier(name)} ${name}
`;
}

const identifier = (name: string): string => name.replaceAll("-", "_");

const wordsAre = (words: readonly string[]): string => `words='${words.join(" ")}'`;

const choicesOf = ({ choices, isList }: ValueWords): string =>
  isList ? `list='${choices.join(" ")}'` : wordsAre(choices);

/** Where nothing is done, there are no words. */
const cases = (patterns: readonly string[], command: string): string =>
  patterns.length === 0 ? "" : `    ${patterns.join(" | ")}) ${command} ;;\n`;

const flagsOf = (options: readonly Pick<OptionWords, "flags">[]): string[] => options.flatMap(({ flags }) => flags);

/** What comes after an option of a command that has a value. */
function valueCases({ name, options }: CommandWords): string[] {
  const valued = options.flatMap(({ flags, value }) => (value === null || value.isOptional ? [] : [{ flags, value }]));
  const patterns = (which: typeof valued) => flagsOf(which).map((flag) => `${name}:${flag}`);
  const withChoices = valued.filter(({ value }) => value.choices.length > 0);
  return [
    cases(patterns(valued.filter(({ value }) => value.isPath)), "return"),
    ...withChoices.map((one) => cases(patterns([one]), choicesOf(one.value))),
    cases(patterns(valued.filter(({ value }) => !value.isPath && value.choices.length === 0)), ""),
  ];
}

/** What comes where no option waits for its value. */
function wordCases({ name, options, args }: CommandWords): string[] {
  const [argument] = args;
  return [
    `        ${name}:-*) ${wordsAre(flagsOf(options))} ;;\n`,
    ...(argument === undefined
      ? []
      : [`        ${name}:*) ${argument.isPath ? "return" : wordsAre(argument.choices)} ;;\n`]),
  ];
}
