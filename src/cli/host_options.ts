import { type Command, Option } from "commander";

/** Which other machines are asked, and how. */
export interface HostOptions {
  hosts?: string[];
  hostfile?: string;
  exclude?: string[];
  tokenFile?: string;
  tlsCa?: string;
}

/** Adds the options of {@link HostOptions} to a command that has `--source`: to name hosts is to ask for them. */
export function addHostOptions(command: Command): Command {
  const remote = { source: "remote" };
  return command
    .addOption(new Option("--hosts <host...>", "machines to ask, as host:port: our API, or exporters").implies(remote))
    .addOption(
      new Option("--hostfile <path>", "the same, one a line; node-[001-100]:9100, or file_sd JSON").implies(remote),
    )
    .addOption(new Option("-x, --exclude <host...>", "of those, hosts that are not asked: node-[003,017]"))
    .addOption(new Option("--token-file <path>", "holds the bearer token that they want"))
    .addOption(new Option("--tls-ca <path>", "the authority (PEM) that https:// hosts are checked against"));
}
