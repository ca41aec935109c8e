import { UsageError } from "../../errors.ts";
import { isCleanText } from "../../frame/clean_text.ts";
import { expandRanges, MOST_HOSTS, splitOutside } from "./ranges.ts";
import { type Endpoint, endpointId, parseEndpoint, type Target } from "./target.ts";

const isSeparator = (character: string): boolean => character === "," || /\s/.test(character);

/** Where the `=` behind a machine's name is; -1: none. A path or a query may hold one as well. */
function nameEnd(line: string): number {
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === "[") depth++;
    else if (character === "]") depth--;
    else if (depth <= 0 && character === "=") return at;
    else if (depth <= 0 && /[,/!]/.test(character)) return -1;
    else if (depth <= 0 && /\s/.test(character))
      return line.slice(at).trimStart().startsWith("=") ? line.indexOf("=", at) : -1;
  }
  return -1;
}

/** Collects targets from wherever they are written, and refuses what cannot be meant. */
export class TargetList {
  readonly #targets: Target[] = [];
  /** Where each endpoint and each name was first. */
  readonly #places = new Map<string, string>();
  /** Hosts, with a port or without, that are not asked, wherever else they stand. */
  readonly #left = new Set<string>();

  /** Without those that were left out. */
  get targets(): Target[] {
    return this.#left.size === 0 ? this.#targets : this.#targets.filter((target) => !this.#isLeftOut(target));
  }

  /** Whether there are hosts, all of which were left out. */
  get isEmptied(): boolean {
    return this.#targets.length > 0 && this.targets.length === 0;
  }

  /**
   * Hosts between blanks and commas; or `name=endpoint,endpoint`: one machine. Those behind `!` or `-x` are left out.
   */
  addLine(line: string, place: string): void {
    const end = nameEnd(line);
    if (end > 0) {
      this.#addNamed(line.slice(0, end).trimEnd(), this.#parts(line.slice(end + 1), place), place);
      return;
    }
    for (const part of this.#parts(line, place)) {
      for (const text of expanded(part, place)) this.addEndpoints(null, [endpointOf(text, place)], place);
    }
  }

  /** The hosts of a list as they are written; those that are left out are noted. */
  #parts(list: string, place: string): string[] {
    const parts: string[] = [];
    let isLeftOut = false;
    for (const word of splitOutside(list, (character) => /\s/.test(character))) {
      const isOption: boolean = !isLeftOut && word.startsWith("-x");
      const hosts: string = isOption ? word.slice(2) : word;
      if (hosts !== "" && (isOption || isLeftOut)) this.leaveOut(hosts, place);
      else if (hosts !== "")
        for (const part of splitOutside(hosts, isSeparator)) parts.push(...this.#kept(part, place));
      isLeftOut = isOption && hosts === "";
    }
    if (isLeftOut) throw new UsageError(`${place}: no host behind -x`);
    return parts;
  }

  /** `gpu[1-9]!gpu3`: all but one. */
  #kept(part: string, place: string): string[] {
    const [hosts = "", ...left] = part.split("!");
    for (const one of left) this.leaveOut(one, place);
    return hosts === "" ? [] : [hosts];
  }

  /** Hosts of a list, as they are written for those that are asked; without a port: whatever theirs is. */
  leaveOut(hosts: string, place: string): void {
    const parts = splitOutside(hosts, isSeparator);
    if (parts.length === 0) throw new UsageError(`${place}: no host behind the exclusion`);
    for (const part of parts) {
      for (const text of expanded(part.replace(/^!/, ""), place)) {
        const { host } = endpointOf(text, place);
        this.#left.add(
          /:\d+(?:\/|$)/.test(text.replace(/^[a-z]+:\/\//i, "")) ? endpointId(endpointOf(text, place)) : host,
        );
        if (this.#left.size > MOST_LEFT_OUT)
          throw new UsageError(`${place}: more than ${MOST_LEFT_OUT} hosts left out`);
      }
    }
  }

  #isLeftOut({ name, endpoints }: Target): boolean {
    const names = endpoints.flatMap((endpoint) => [
      endpoint.host,
      endpointId({ ...endpoint, path: null }),
      endpointId(endpoint),
    ]);
    return names.some((one) => this.#left.has(one)) || this.#left.has(name?.toLowerCase() ?? "");
  }

  /** With ranges, one machine for each number in them. */
  #addNamed(name: string, parts: readonly string[], place: string): void {
    if (parts.length === 0) throw new UsageError(`${place}: ${shown(name)}: no host behind the =`);
    const names = expanded(name, place);
    const columns = parts.map((part) => expanded(part, place));
    const odd = columns.find((column) => column.length !== names.length);
    if (odd !== undefined) throw new UsageError(`${place}: ${shown(name)}: ${names.length} names, ${odd.length} hosts`);
    for (const [n, one] of names.entries()) {
      const endpoints = columns.map((column) => endpointOf(column[n] ?? "", place));
      this.addEndpoints(one, endpoints, place);
    }
  }

  addEndpoints(name: string | null, endpoints: readonly Endpoint[], place: string): void {
    const ids = endpoints.map(endpointId);
    for (const id of name === null ? ids : [name, ...ids.filter((id) => id !== name)]) {
      refuseUnclean(id, place);
      const before = this.#places.get(id);
      if (before !== undefined) throw new UsageError(`${place}: ${id} is there already, ${before}`);
      this.#places.set(id, place);
    }
    if (this.#targets.length === MOST_HOSTS) throw new UsageError(`${place}: more than ${MOST_HOSTS} hosts`);
    this.#targets.push({ host_id: name ?? ids[0] ?? "", name, endpoints });
  }
}

/** More than there can be hosts. */
const MOST_LEFT_OUT = 4 * MOST_HOSTS;
const LONGEST = 300;
/** A host with ranges stands for many: a scheduler writes some thousand numbers between two brackets. */
const LONGEST_LIST = 32 * 1024;

function expanded(text: string, place: string): string[] {
  refuseLong(text, place, LONGEST_LIST);
  if (text.startsWith("@")) {
    throw new UsageError(`${place}: "${text.slice(0, 80)}" is a group: hosts are given by their names, node-[001-100]`);
  }
  const texts = expandRanges(text);
  if (typeof texts === "string") throw new UsageError(`${place}: ${masked(texts)}`);
  return texts;
}

export function endpointOf(text: string, place: string): Endpoint {
  refuseLong(text, place);
  const endpoint = parseEndpoint(text);
  if (typeof endpoint === "string") throw new UsageError(`${place}: "${shown(text)}": ${endpoint}`);
  return endpoint;
}

/** What was written, without the user and the password that may stand in front of an @. */
const masked = (text: string): string => text.replace(/^([a-z]+:\/\/)?.*@/i, "$1***@");

/** What names a host ends up on screens and in files. */
function refuseUnclean(id: string, place: string): void {
  refuseLong(id, place);
  if (!isCleanText(id)) throw new UsageError(`${place}: "${shown(id)}": a control character is in no host name`);
}

/** What was written, as a message has it. */
const shown = (text: string): string => masked(text).slice(0, 80);

function refuseLong(text: string, place: string, most = LONGEST): void {
  if (text.length > most) throw new UsageError(`${place}: "${shown(text)}": too long for a host`);
}
