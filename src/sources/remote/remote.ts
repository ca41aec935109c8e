import type { Sections } from "../../frame/frame.ts";
import type { Part } from "../../frame/parts.ts";
import type { FrameEvent, Scrape, SectionName } from "../../frame/schema.ts";
import type { CommandMode } from "../local/mask.ts";
import type { Cycle, Reading, Source } from "../source.ts";
import { Commands } from "./commands.ts";
import { HttpClient, type HttpOptions } from "./http_client.ts";
import { hostnameOf, type Machine, Machines, outcomeOf, partErrors, toldOf } from "./machines.ts";
import { joinTold } from "./page.ts";
import { type ScrapeOptions, Scraper } from "./scraper.ts";
import { errorOfHost, eventsOfHost, ofHost } from "./small.ts";
import type { Target } from "./target.ts";

export interface RemoteOptions extends Omit<ScrapeOptions, "without" | "commands" | "most_kept">, HttpOptions {
  readonly targets: readonly Target[];
  readonly command: CommandMode;
}

/** What is at the other end of a link never changes, and is a third of a frame. */
const MOST_WITH_PEERS = 32;
/** A machine with 8 GPUs takes 30 KB, half of it links, and a line may have 16 MiB: beyond this it would not fit. */
const MOST_WITH_LINKS = 256;

function leftOut({ perCore, targets }: RemoteOptions): Part[] {
  const left: Part[] = ["host_processes"];
  if (!perCore) left.push("cores");
  if (targets.length > MOST_WITH_PEERS) left.push("peers");
  if (targets.length > MOST_WITH_LINKS) left.push("links", "details");
  return left;
}

/** Of a line's 16 MiB, for all hosts together. A host has its share, but what any machine takes and no more than none does. */
const KEPT_OF_ALL = 12 << 20;
const KEPT_OF_ONE = { least: 96 << 10, most: 512 << 10 } as const;

function mostKept(targets: readonly Target[]): number {
  const share = KEPT_OF_ALL / targets.flatMap(({ endpoints }) => endpoints).length;
  return Math.min(KEPT_OF_ONE.most, Math.max(KEPT_OF_ONE.least, Math.floor(share)));
}

/** Requests under way at once. */
const MOST_AT_ONCE = 128;

/** The rest of a cycle is for making a frame of what came. */
const SCRAPE_SHARE = 0.9;

/** A reading that is only for rates is over when nobody has answered for so long. */
const PATIENCE_MS = 300;

class RemoteSource implements Source {
  readonly name = "remote";
  /** Some values are differences between two pages; and by then it is known how each host is asked. */
  readonly fromTwoReadings = true;
  readonly #options: RemoteOptions;
  readonly #client: HttpClient;
  readonly #scrapers: readonly Scraper[];
  readonly #machines: Machines;
  readonly #hostnames = new Map<string, string>();

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#client = new HttpClient(options);
    const most_kept = mostKept(options.targets);
    const scrape = { ...options, without: leftOut(options), commands: new Commands(options.command), most_kept };
    const asked = options.targets.map((target) => ({
      target,
      scrapers: target.endpoints.map((endpoint) => new Scraper(endpoint, this.#client, scrape)),
    }));
    this.#scrapers = asked.flatMap(({ scrapers }) => scrapers);
    this.#machines = new Machines(asked);
  }

  async read(cycle: Cycle): Promise<Reading> {
    await this.#scrape(cycle);
    const reading = new FrameParts(this.#options.include);
    for (const machine of this.#machines.now()) {
      const hostname = hostnameOf(machine, this.#hostnames.get(machine.host_id));
      this.#hostnames.set(machine.host_id, hostname);
      reading.add(machine, hostname);
    }
    for (const scraper of this.#scrapers) scraper.forget();
    return reading.done();
  }

  close(): void {
    this.#client.close();
  }

  /** Those that answered last time come first: whoever hangs keeps nobody waiting. Ends with the cycle's time. */
  async #scrape(cycle: Cycle): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    const timer = setTimeout(end, cycle.wait_ms * SCRAPE_SHARE);
    const patience = cycle.isOnlyForRates ? setTimeout(end, PATIENCE_MS) : null;
    cycle.signal.addEventListener("abort", end);
    const queue = [...this.#scrapers].sort(byTurn).values();
    const work = async () => {
      for (const scraper of queue) {
        if (over.signal.aborted) scraper.miss();
        else await scraper.scrape(cycle, over.signal);
        patience?.refresh();
      }
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
    clearTimeout(timer);
    if (patience !== null) clearTimeout(patience);
    cycle.signal.removeEventListener("abort", end);
  }
}

/** Of those that hang, whoever has waited longest: there may be more than are asked in one cycle. */
const byTurn = (a: Scraper, b: Scraper): number => Number(b.isWell) - Number(a.isWell) || a.asked_ms - b.asked_ms;

/** A frame's parts, host by host. */
class FrameParts {
  readonly #sections: Sections = {};
  readonly #scrapes: Scrape[] = [];
  readonly #errors: string[] = [];
  readonly #events: FrameEvent[] = [];

  constructor(include: readonly SectionName[]) {
    for (const section of include) this.#sections[section] = [];
  }

  add(machine: Machine, hostname: string): void {
    const { host_id } = machine;
    const { latency_ms, error } = outcomeOf(machine);
    this.#scrapes.push({ host: host_id, hostname, up: error === null, latency_ms, error });
    const { sections, errors = [], events = [] } = joinTold(toldOf(machine));
    const devices = ofHost(sections, { host_id, hostname, instance: host_id });
    for (const [name, list] of Object.entries(devices) as [SectionName, never[]][]) {
      for (const device of list) this.#sections[name]?.push(device);
    }
    for (const text of [...partErrors(machine), ...errors]) this.#errors.push(errorOfHost(text, host_id));
    this.#events.push(...eventsOfHost(events, host_id));
  }

  done(): Reading {
    const events = this.#events.length === 0 ? {} : { events: this.#events };
    return { ...this.#sections, ...events, scrapes: this.#scrapes, errors: this.#errors };
  }
}

/** Machines that are asked over HTTP: our own API, the Rust tool's, and the exporters that clusters have. */
export const remoteSource = (options: RemoteOptions): Source => new RemoteSource(options);
