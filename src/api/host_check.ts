import { BlockList, isIPv4, isIPv6 } from "node:net";

/** This machine, by its own word. */
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const withoutBrackets = (host: string): string => (/^\[.*\]$/.test(host) ? host.slice(1, -1) : host);

/** Whether who asks there is on this machine: `localhost` and the names below it, 127.0.0.0/8, ::1. */
export function isLoopbackHost(host: string): boolean {
  const name = withoutBrackets(host.toLowerCase());
  if (isIPv4(name)) return loopback.check(name, "ipv4");
  if (isIPv6(name)) return loopback.check(name, "ipv6");
  return name === "localhost" || name.endsWith(".localhost");
}

/** What a `Host` header names, in lower case, without its port and the dot at the end; `null` where it is no host. */
function hostOf(header: string): string | null {
  const [, host] = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}?)\.?(?::\d{0,5})?$/i.exec(header.trim()) ?? [];
  return host?.toLowerCase() ?? null;
}

/** A name or an address as `--allow-host` takes it; `null` where it is none, or has a port. */
export function allowedHost(text: string): string | null {
  if (isIPv6(text)) return `[${text.toLowerCase()}]`;
  const host = hostOf(text);
  return host === null || /:\d*$/.test(text.replace(/^\[.*\]/, "")) ? null : host;
}

/**
 * Whether a listener on a loopback address answers a request with this `Host`. A page in a browser of this machine may
 * reach it under any name that its author lets point here (DNS rebinding), and would be told what is served. Whoever
 * sends no `Host` at all is no browser.
 */
export function hostCheck(allowed: readonly string[]): (header: string | undefined) => boolean {
  const names = new Set(allowed);
  return (header) => {
    if (header === undefined) return true;
    const host = hostOf(header);
    return host !== null && (isLoopbackHost(host) || names.has(host));
  };
}
