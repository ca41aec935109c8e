import { isIPv6 } from "node:net";
import { InvalidArgumentError } from "commander";

/** Where to listen; without a port it is `--port`'s. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number | null;
}

const EXAMPLES = "Give host, host:port, [v6]:port or :port.";

/** What stands for every address, as in Prometheus's own exporters. */
const ALL = "0.0.0.0";

/** `host`, `host:port`, `v6`, `[v6]`, `[v6]:port`, or `:port` on all addresses. Throws where it is none of them. */
export function listenAddress(text: string): ListenAddress {
  if (isIPv6(text)) return { hostname: text, port: null };
  const [, v6, name = "", port] = /^(?:\[([0-9a-f:.%]+)\]|([A-Za-z0-9._-]*))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const hostname = v6 ?? (name === "" && port !== undefined ? ALL : name);
  if (hostname === "" || (v6 !== undefined && !isIPv6(v6))) throw new InvalidArgumentError(EXAMPLES);
  if (port === undefined) return { hostname, port: null };
  if (Number(port) < 1 || Number(port) > 65_535) throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  return { hostname, port: Number(port) };
}
