import { timestampOf } from "./cells.ts";
import type { Fields, Values } from "./fields.ts";

/** Every name of what can be asked for, from the help: lines as `"clocks.current.sm" or "clocks.sm"`. */
export function parseHelp(text: string): ReadonlySet<string> {
  const lines = text.split("\n").filter((line) => line.trimStart().startsWith('"'));
  // Between every other pair of quotes: a pattern that looks ahead takes time squared.
  const quoted = lines.flatMap((line) => line.split('"').filter((_, n) => n % 2 === 1));
  return new Set(quoted.filter((name) => /^[\w.]+$/.test(name)));
}

/** The fields of one query, of those that the nvidia-smi of this machine knows. */
export class Query<F extends Fields> {
  /** What follows the `=` of `--query-gpu=`. */
  readonly names: string;
  readonly #fields: F;
  /** Where each field stands in a row; a field that is not asked for stands nowhere. */
  readonly #places = new Map<keyof F, number>();

  constructor(fields: F, known: ReadonlySet<string>) {
    const names: string[] = [];
    for (const key in fields) {
      const name = fields[key]?.names.find((one) => known.has(one));
      if (name !== undefined) this.#places.set(key, names.push(name) - 1);
    }
    this.#fields = fields;
    this.names = names.join(",");
  }

  asksFor(field: keyof F): boolean {
    return this.#places.has(field);
  }

  /** The names come before the first round, some in another spelling than that asked for, or with a unit. */
  isHeader(line: string): boolean {
    const cells = line.split(", ");
    return cells[0] === "timestamp" && cells.length === this.#places.size;
  }

  /** The cells of a row; `null` where the line is none, but words. A row begins with its timestamp. */
  cells(line: string): readonly string[] | null {
    const cells = line.split(", ").map((cell) => cell.trim());
    return cells.length === this.#places.size && timestampOf(cells[0] ?? "") !== null ? cells : null;
  }

  values(cells: readonly string[]): Values<F> {
    const entries = Object.entries(this.#fields).map(([key, { parse }]) => {
      const place = this.#places.get(key);
      return [key, place === undefined ? null : parse(cells[place] ?? "")];
    });
    return Object.fromEntries(entries) as Values<F>;
  }
}
