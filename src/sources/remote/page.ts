import type { Sections } from "../../frame/frame.ts";
import type { SectionName } from "../../frame/schema.ts";
import { allSmi } from "./dialects/all_smi.ts";
import { amd } from "./dialects/amd.ts";
import { amdSmi } from "./dialects/amd_smi.ts";
import { dcgm } from "./dialects/dcgm.ts";
import type { Dialect, PageContext, PageReader, Told } from "./dialects/dialect.ts";
import { nodeExporter } from "./dialects/node_exporter.ts";
import { nvidiaSmi } from "./dialects/nvidia_smi.ts";
import { ExpositionParser, type Take } from "./exposition.ts";

/** Where a page has devices of several exporters, the first of them that has a section counts. */
const DIALECTS: readonly Dialect[] = [allSmi, dcgm, nvidiaSmi, nodeExporter, amdSmi, amd];

/** By this much text besides comments a page of metrics has had its first series. */
const PATIENCE_BYTES = 64 * 1024;

/** Why a text is of no use, in the words of a frame's `scrapes`. */
export type Problem =
  | "not a metrics page"
  | "no known exporter"
  | "several hosts behind it"
  | "too large"
  | "too much to read";

/** Those that mean that something of use may be found under another path. */
export const ELSEWHERE: readonly Problem[] = ["not a metrics page", "no known exporter", "too large"];

/** A page of metrics, as it comes in. */
export class Page {
  readonly #parser = new ExpositionParser((family) => this.#take(family));
  readonly #readers = new Map<Dialect, PageReader>();
  #bytes = 0;
  #isHopeless = false;

  /** `false`: this is none, and the rest need not be fetched. */
  feed(bytes: Uint8Array): boolean {
    this.#parser.feed(bytes);
    this.#bytes += bytes.length;
    this.#isHopeless = this.#parser.series === 0 && this.#bytes - this.#parser.commentLength >= PATIENCE_BYTES;
    return !this.#isHopeless;
  }

  /** The page has come to its end. */
  finish(context: PageContext): Told | Problem {
    if (!this.#isHopeless) this.#parser.finish();
    if (this.#parser.series === 0) return "not a metrics page";
    const told = DIALECTS.map((dialect) => this.#readers.get(dialect)?.finish(context) ?? null).filter(
      (one) => one !== null,
    );
    if (told.length === 0) return "no known exporter";
    return told.some((one) => one.hasSeveralHosts) ? "several hosts behind it" : joinTold(told);
  }

  #take(family: string): Take | null {
    const dialect = DIALECTS.find((one) => one.owns(family));
    if (dialect === undefined) return null;
    let reader = this.#readers.get(dialect);
    if (reader === undefined) {
      reader = dialect.open();
      this.#readers.set(dialect, reader);
    }
    return reader.take(family);
  }
}

/** Of each section those devices that the first one has which has any. */
export function joinTold(told: readonly Told[]): Told {
  const sections: Sections = {};
  for (const one of told) {
    for (const [name, devices] of Object.entries(one.sections) as [SectionName, unknown[]][]) {
      if (!sections[name]?.length) sections[name] = devices as never;
    }
  }
  return {
    sections,
    hostname: told.find(({ hostname }) => hostname !== null)?.hostname ?? null,
    events: told.flatMap(({ events = [] }) => events),
    errors: told.flatMap(({ errors = [] }) => errors),
  };
}
