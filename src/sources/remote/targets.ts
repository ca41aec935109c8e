import { UsageError } from "../../errors.ts";
import { expandRanges, MOST_HOSTS } from "./ranges.ts";
import { type Endpoint, endpointId, parseEndpoint, type Target } from "./target.ts";

/** Collects targets from wherever they are written, and refuses what cannot be meant. */
export class TargetList {
  readonly targets: Target[] = [];
  /** Where each endpoint and each name was first. */
  readonly #places = new Map<string, string>();

  /** Hosts between blanks and commas; or `name=endpoint,endpoint`: one machine. */
  addLine(line: string, place: string): void {
    const named = /^([^=\s,/]+)\s*=(.*)$/.exec(line);
    const parts = (named?.[2] ?? line).split(/[\s,]+/).filter((part) => part !== "");
    if (named !== null) {
      this.#addNamed(named[1] ?? "", parts, place);
      return;
    }
    for (const part of parts) {
      for (const text of expanded(part, place)) this.addEndpoints(null, [endpointOf(text, place)], place);
    }
  }

  /** With ranges, one machine for each number in them. */
  #addNamed(name: string, parts: readonly string[], place: string): void {
    if (parts.length === 0) throw new UsageError(`${place}: ${name}: no host behind the =`);
    const names = expanded(name, place);
    const columns = parts.map((part) => expanded(part, place));
    const odd = columns.find((column) => column.length !== names.length);
    if (odd !== undefined) throw new UsageError(`${place}: ${name}: ${names.length} names, ${odd.length} hosts`);
    for (const [n, one] of names.entries()) {
      const endpoints = columns.map((column) => endpointOf(column[n] ?? "", place));
      this.addEndpoints(one, endpoints, place);
    }
  }

  addEndpoints(name: string | null, endpoints: readonly Endpoint[], place: string): void {
    const ids = endpoints.map(endpointId);
    for (const id of name === null ? ids : [name, ...ids.filter((id) => id !== name)]) {
      const before = this.#places.get(id);
      if (before !== undefined) throw new UsageError(`${place}: ${id} is there already, ${before}`);
      this.#places.set(id, place);
    }
    if (this.targets.length === MOST_HOSTS) throw new UsageError(`${place}: more than ${MOST_HOSTS} hosts`);
    this.targets.push({ host_id: name ?? ids[0] ?? "", name, endpoints });
  }
}

const LONGEST = 300;

function expanded(text: string, place: string): string[] {
  refuseLong(text, place);
  const texts = expandRanges(text);
  if (typeof texts === "string") throw new UsageError(`${place}: ${masked(texts)}`);
  return texts;
}

export function endpointOf(text: string, place: string): Endpoint {
  refuseLong(text, place);
  const endpoint = parseEndpoint(text);
  if (typeof endpoint === "string") throw new UsageError(`${place}: "${masked(text).slice(0, 80)}": ${endpoint}`);
  return endpoint;
}

/** What was written, without the user and the password that may stand in front of an @. */
const masked = (text: string): string => text.replace(/^([a-z]+:\/\/)?.*@/i, "$1***@");

function refuseLong(text: string, place: string): void {
  if (text.length > LONGEST) throw new UsageError(`${place}: "${masked(text).slice(0, 80)}": too long for a host`);
}
