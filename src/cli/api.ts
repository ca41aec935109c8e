import { Command, InvalidArgumentError, Option } from "commander";
import { allowedHost } from "../api/host_check.ts";
import { UsageError } from "../errors.ts";
import { type ListenAddress, listenAddress } from "./listen_address.ts";
import { addSourceOptions, type SourceOptions } from "./options.ts";
import { interval_ms, wholeNumber } from "./values.ts";

export interface ApiOptions extends Omit<SourceOptions, "processes"> {
  port: number;
  listen: ListenAddress;
  /** Beside this machine's own names, in lower case. */
  allowHost: string[];
  socket?: string;
  interval: number;
  /** Not set: no processes; true: the usual number. */
  processes?: number | true;
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
}

const HELP = `
Examples:
  all-smi api                          http://127.0.0.1:9090/metrics, for this
                                       machine only
  all-smi api --listen 0.0.0.0 --token-file token --tls-cert cert.pem \\
              --tls-key key.pem        for the network
  all-smi api --port 0 --socket /run/all-smi.sock
                                       a Unix socket instead
  curl -N http://127.0.0.1:9090/events every frame as it comes

  /metrics      Prometheus text, or OpenMetrics where that is asked for
  /snapshot     the current frame; ?include=gpu,cpu, ?pretty=1, and ?without= of
                cores,peers,links,details,host_processes
  /events       frames as server-sent events; ?include=, ?without=, and
                ?throttle= and ?heartbeat= in seconds
  /-/healthy, /-/ready

On a loopback address a request under another name than this machine's own
(localhost, 127.0.0.1, [::1]) is refused with 403, as a page in a browser could
send it: --allow-host names those that are answered, for a proxy for instance.

Processes are served only with --processes (or --include process), and never to
a whole network without a token.

SIGINT and SIGTERM end it.

Exit status: 0; 1: something failed; 2: an option is wrong, or the address is
taken.`;

/** `all-smi api`: serves what the machine does over HTTP. */
export function apiCommand(): Command {
  const command = new Command("api")
    .description("Serves what this machine does over HTTP: Prometheus metrics, JSON, a stream of events.")
    .addOption(
      new Option("-p, --port <n>", "TCP port; 0: none, with --socket").argParser(wholeNumber(0, 65_535)).default(9090),
    )
    .addOption(
      new Option("--listen <address>", "host, host:port, [v6]:port, or :port on all; 0.0.0.0 or :: for the network")
        .argParser(listenAddress)
        .default({ hostname: "127.0.0.1", port: null }, "127.0.0.1"),
    )
    .addOption(
      new Option("--allow-host <name>", "also answer under this name on 127.0.0.1; may be given more than once")
        .argParser((text: string, before: string[]) => [...before, hostToAllow(text)])
        .default([], "none"),
    )
    .option("-s, --socket <path>", "a Unix socket too, for its owner only")
    .addOption(
      new Option("-i, --interval <seconds>", "between readings, with fractions; 0.1 at least")
        .argParser(interval_ms)
        .default(3000, "3"),
    )
    .option("--token-file <path>", "holds the bearer token that clients must bring")
    .option("--tls-cert <path>", "certificate chain (PEM), for HTTPS")
    .option("--tls-key <path>", "its private key (PEM)");
  const processes = new Option("--processes [n]", "processes too, so many rows at most; 100 without a number");
  processes.argParser(wholeNumber(0, 100_000));
  const own = { kinds: ["local", "mock"], processes } as const;
  return addSourceOptions(command.optionsGroup("Source:"), "gpu,cpu,memory,chassis,storage", own)
    .addHelpText("after", HELP)
    .action(async (options: ApiOptions, command: Command) => {
      const port = portOf(options, command.getOptionValueSource("port") === "cli");
      await (await import("./api_run.ts")).serve({ ...options, port });
    });
}

/** `--listen` may have a port of its own. */
function portOf({ port, listen }: ApiOptions, isGiven: boolean): number {
  if (listen.port === null) return port;
  if (isGiven && port !== listen.port) {
    throw new UsageError(`--listen names port ${listen.port}, and --port ${port}: give one of them`);
  }
  return listen.port;
}

function hostToAllow(text: string): string {
  const host = allowedHost(text);
  if (host === null) throw new InvalidArgumentError("Give a name or an address, without a port.");
  return host;
}
