import { Argument, Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const HELP = `
In the start-up file of the shell:
  bash   eval "$(all-smi completion bash)"   in ~/.bashrc
  zsh    source <(all-smi completion zsh)    in ~/.zshrc, after compinit
  fish   all-smi completion fish | source    in ~/.config/fish/config.fish`;

/** `all-smi completion`: prints what makes a shell complete commands, options and their values. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("Prints the completion for a shell.")
    .addArgument(new Argument("<shell>", "which one").choices(SHELLS))
    .addHelpText("after", HELP)
    .action(async (shell: Shell, _: unknown, command: Command) => {
      const { printCompletion } = await import("./completion_run.ts");
      await printCompletion(command.parent ?? command, shell);
    });
}
