import type { Command } from "commander";
import type { Shell } from "./completion.ts";
import { bashScript } from "./completion_bash.ts";
import { fishScript } from "./completion_fish.ts";
import { commandWords } from "./completion_words.ts";
import { zshScript } from "./completion_zsh.ts";
import { writeStandardOutput } from "./standard_output.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export async function printCompletion(program: Command, shell: Shell): Promise<void> {
  await writeStandardOutput(SCRIPTS[shell](commandWords(program)));
}
