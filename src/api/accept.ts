/** What a client takes, by its `Accept` and `Accept-Encoding` headers (RFC 9110, 12.5). */

export type Encoding = "zstd" | "gzip" | "identity";

interface Choice {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0, not wanted, to 1. */
  readonly weight: number;
}

function choices(header: string): Choice[] {
  return header.split(",").map((entry) => {
    const [name = "", ...rest] = entry.split(";").map((part) => part.trim().toLowerCase());
    const parameters = new Map(rest.map((part) => [part.split("=")[0] ?? "", part.split("=")[1] ?? ""]));
    return { name, parameters, weight: weightOf(parameters.get("q")) };
  });
}

function weightOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const weight = Number.parseFloat(text);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

const ENCODINGS: readonly Encoding[] = ["zstd", "gzip"];

/** The encoding to answer in, of those offered or none: of two that a client likes as much, the first. */
export function chooseEncoding(header: string | undefined, offered = ENCODINGS): Encoding {
  const given = choices(header ?? "");
  const weightFor = (encoding: Encoding) =>
    (given.find(({ name }) => name === encoding) ?? given.find(({ name }) => name === "*"))?.weight ?? 0;
  const plain = given.find(({ name }) => name === "identity")?.weight ?? 0;
  let chosen: Encoding = "identity";
  let weight = 0;
  for (const encoding of offered) {
    const own = weightFor(encoding);
    if (own > weight && own >= plain) [chosen, weight] = [encoding, own];
  }
  return chosen;
}

const OPEN_METRICS = "application/openmetrics-text";
/** The text that is written is read by readers of both. */
const VERSIONS: readonly (string | undefined)[] = ["1.0.0", "0.0.1", undefined];

/** Whether the client would rather have OpenMetrics than the text of Prometheus. */
export function prefersOpenMetrics(header: string | undefined): boolean {
  const given = choices(header ?? "");
  const isOpen = ({ name, parameters }: Choice) =>
    name === OPEN_METRICS && VERSIONS.includes(parameters.get("version"));
  const highest = (of: readonly Choice[]) => Math.max(0, ...of.map(({ weight }) => weight));
  const open = highest(given.filter(isOpen));
  return open > 0 && open >= highest(given.filter(({ name }) => name === "text/plain"));
}
