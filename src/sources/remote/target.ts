import { maskInline } from "../local/mask_inline.ts";

/** Where one exporter is asked. */
export interface Endpoint {
  readonly scheme: "http" | "https";
  /** Without the brackets of an IPv6 address, in lower case. */
  readonly host: string;
  readonly port: number;
  /** `null`: wherever our own API or an exporter usually answers. */
  readonly path: string | null;
}

/** One line of a host file: a machine, and who speaks for it. */
export interface Target {
  /** By what it is told from all others: `host:port`, or the name it was given. */
  readonly host_id: string;
  /** Given in front of `=`; `null`: it has the name that it says itself. */
  readonly name: string | null;
  readonly endpoints: readonly Endpoint[];
}

/** That of our own API, of the Rust tool's and of Prometheus. */
const DEFAULT_PORT = 9090;

/** `host`, `host:port`, `http(s)://host:port/path`, `[v6]:port`; a text says what is wrong with it. */
export function parseEndpoint(text: string): Endpoint | string {
  const [, scheme = "http", authority = "", path = ""] = /^(?:([a-z]+):\/\/)?([^/?]*)([/?].*)?$/i.exec(text) ?? [];
  const lower = scheme.toLowerCase();
  if (lower !== "http" && lower !== "https") return `http:// or https://, not ${scheme}://`;
  const [, v6, name, rest = ""] = /^(?:\[([0-9a-f:.%]+)\]|([A-Za-z0-9._-]*))(.*)$/i.exec(authority) ?? [];
  const host = v6 ?? name ?? "";
  if (authority.includes("@")) return "no user stands in a host: --token-file holds what it wants";
  if (/^[0-9a-f:.%]*$/i.test(authority) && rest.includes(":", 1)) {
    return "an IPv6 address stands in brackets: [fd00::1]:9090";
  }
  if (rest.startsWith("[")) return "a range is one of numbers: node-[001-100]";
  if (rest !== "" && !rest.startsWith(":")) return `${JSON.stringify(rest[0])} is in no host name`;
  if (host === "") return "no host";
  if (host.startsWith("-")) return "no host name begins with -";
  const port = parsePort(rest);
  if (port === null) return `bad port "${rest.slice(1)}"`;
  return { scheme: lower, host: host.toLowerCase(), port, path: path === "" || path === "/" ? null : path };
}

function parsePort(text: string): number | null {
  if (text === "") return DEFAULT_PORT;
  const port = /^:\d{1,5}$/.test(text) ? Number(text.slice(1)) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** The same for the same place, whatever was written; shown and recorded, so that what is secret of a query is `***`. */
export const endpointId = ({ host, port, path }: Endpoint): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}${path === null ? "" : maskInline(path)}`;

/** Every address of it is this machine: several there need not be one. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host);
