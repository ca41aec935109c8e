import { isLoopback, type Target } from "../sources/remote/target.ts";
import { formatCount } from "./units.ts";

/** What to say where a token would pass a network for everybody to read; `null` where it would not. */
export function tokenInClear(targets: readonly Target[]): string | null {
  const exposed = targets.filter(({ endpoints }) =>
    endpoints.some(({ scheme, host }) => scheme === "http" && !isLoopback(host)),
  );
  const [first] = exposed;
  if (first === undefined) return null;
  const where = exposed.length === 1 ? first.host_id : `${exposed.length} of ${formatCount(targets.length, "host")}`;
  return `the token passes the network in the clear to ${where}: https:// encrypts it`;
}
