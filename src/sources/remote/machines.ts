import { isIP } from "node:net";
import type { SectionName } from "../../frame/schema.ts";
import type { Outcome, Scraper } from "./scraper.ts";
import { type Endpoint, endpointId, isLoopback, type Target } from "./target.ts";

/** Of a scraper, what it found. */
type Found = Pick<Scraper, "endpoint" | "provides" | "last">;

/** A host of the frame, and the endpoints that speak for it. */
export interface Machine {
  readonly host_id: string;
  readonly name: string | null;
  readonly scrapers: readonly Found[];
}

/** A target, and who asks its endpoints. */
export interface Asked {
  readonly target: Target;
  readonly scrapers: readonly Found[];
}

/**
 * Which endpoints make up one host: those of one line that says so, and those of one address that are known to tell
 * different things, such as node_exporter and dcgm-exporter. Two that tell the same are two hosts.
 */
export class Machines {
  readonly #asked: readonly Asked[];
  readonly #addresses: ReadonlyMap<Asked, string>;
  #known: readonly (ReadonlySet<SectionName> | null)[] = [];
  #machines: readonly Machine[] = [];

  constructor(asked: readonly Asked[]) {
    this.#asked = asked;
    this.#addresses = sharedAddresses(asked);
  }

  /** In the order of the targets. */
  now(): readonly Machine[] {
    const known = this.#asked.map(({ scrapers }) => scrapers[0]?.provides ?? null);
    const isSame = known.length === this.#known.length && known.every((one, n) => one === this.#known[n]);
    if (!isSame) this.#machines = this.#join();
    this.#known = known;
    return this.#machines;
  }

  #join(): Machine[] {
    const joined = new Map<Asked, Found[]>();
    const byAddress = new Map<string, { readonly first: Asked; readonly provided: Set<SectionName> }[]>();
    for (const asked of this.#asked) {
      const address = this.#addresses.get(asked);
      const provides = asked.scrapers[0]?.provides ?? null;
      const there = (address === undefined || provides === null ? undefined : byAddress.get(address)) ?? [];
      const partner = there.find(({ provided }) => [...(provides ?? [])].every((name) => !provided.has(name)));
      if (partner !== undefined) {
        joined.get(partner.first)?.push(...asked.scrapers);
        for (const name of provides ?? []) partner.provided.add(name);
        continue;
      }
      joined.set(asked, [...asked.scrapers]);
      if (address === undefined || provides === null) continue;
      byAddress.set(address, [...there, { first: asked, provided: new Set(provides) }]);
    }
    return [...joined].map(([{ target }, scrapers]) => ({ host_id: target.host_id, name: target.name, scrapers }));
  }
}

/** Of the targets without a name, those whose address others have too. */
function sharedAddresses(asked: readonly Asked[]): Map<Asked, string> {
  const single = asked.filter(({ target }) => target.name === null);
  const hosts = new Map(single.map((one) => [one, one.target.endpoints[0]?.host ?? ""]));
  const counts = Map.groupBy(hosts.values(), (host) => host);
  return new Map([...hosts].filter(([, host]) => !isLoopback(host) && (counts.get(host)?.length ?? 0) > 1));
}

/** Names that a container, or an exporter that does not know better, gives itself. */
const isNoName = (name: string): boolean =>
  name === "" || name === "localhost" || name === "remote" || isIP(name) !== 0;

/** As it was named, else as it names itself, else its address: of this machine with the port, which tells them apart. */
export function hostnameOf({ name, scrapers }: Machine, before: string | undefined): string {
  if (name !== null) return name;
  const own = scrapers.map(({ last }) => last.told?.hostname ?? "").find((one) => !isNoName(one));
  return own ?? before ?? addressOf(scrapers[0]?.endpoint);
}

function addressOf(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return "";
  return isLoopback(endpoint.host) ? endpointId({ ...endpoint, path: null }) : endpoint.host;
}

/** How the endpoints of a machine did together: it is up if one of them is. */
export function outcomeOf({ scrapers }: Machine): { latency_ms: number | null; error: string | null } {
  const latencies = scrapers.map(({ last }) => last.latency_ms).filter((one) => one !== null);
  if (latencies.length > 0) return { latency_ms: Math.max(...latencies), error: null };
  return { latency_ms: null, error: scrapers[0]?.last.error ?? null };
}

/** Of a machine that is up, the endpoints that are not. */
export function partErrors({ scrapers }: Machine): string[] {
  const down = scrapers.filter(({ last }) => last.error !== null);
  if (down.length === scrapers.length) return [];
  return down.map(({ endpoint, last }) => `remote: ${endpointId(endpoint)}: ${last.error}`);
}

/** Of a machine's endpoints, what those told that answered. */
export const toldOf = ({ scrapers }: Machine): NonNullable<Outcome["told"]>[] =>
  scrapers.map(({ last }) => last.told).filter((told) => told !== null);
