import type { Scrape } from "../frame/schema.ts";
import { formatCount } from "./units.ts";

const MOST_NAMED = 3;

/** What is to be done about it, where that follows from the answer. */
const HINTS: Readonly<Record<string, string>> = {
  "HTTP 401": ": --token-file has to hold the token that they want",
  "HTTP 403": ": --token-file has to hold the token that they want, or their --allow-host this name",
};

/** Which of the hosts that were asked are down and why, in one line; `null` where all are up. */
export function hostsDown(scrapes: readonly Scrape[]): string | null {
  const down = Map.groupBy(
    scrapes.filter(({ up }) => !up),
    ({ error }) => error ?? "no reason",
  );
  if (down.size === 0) return null;
  const count = [...down.values()].reduce((sum, hosts) => sum + hosts.length, 0);
  return `${count} of ${formatCount(scrapes.length, "host")} down: ${[...down].map(reason).join("; ")}`;
}

function reason([error, hosts]: readonly [string, readonly Scrape[]]): string {
  const named = hosts.slice(0, MOST_NAMED).map(({ host }) => host);
  const rest = hosts.length > MOST_NAMED ? [`${hosts.length - MOST_NAMED} more`] : [];
  return `${error} (${[...named, ...rest].join(", ")})${HINTS[error] ?? ""}`;
}
