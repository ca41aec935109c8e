import { Command, Option } from "commander";

export interface DoctorOptions {
  json?: boolean;
  hostRoot: string;
}

const HELP = `
Examples:
  all-smi doctor
  all-smi doctor --json | jq -r '.findings[] | select(.state == "problem").says'

Each line is ok; a note (it can be read, but something is good to know); a
problem (the machine has it, and it cannot be read); or absent (the machine has
it not). What can be done about it stands below. Nothing is changed.

Exit status: 0; 1: there is a problem; 2: an option is wrong.`;

/** `all-smi doctor`: what can be read on this machine, what not, and why. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Says what can be read on this machine, what not, why, and what to do about it.")
    .option("--json", "as JSON")
    .addOption(
      new Option("--host-root <path>", "where the machine's /proc, /sys and /etc are (in a container)").default("/"),
    )
    .addHelpText("after", HELP)
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import("./doctor_run.ts");
      await doctor(options);
    });
}
