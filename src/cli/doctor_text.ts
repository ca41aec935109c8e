import type { Finding, Group, State } from "../doctor/finding.ts";
import { eachCluster, textWidth } from "../view/text.ts";

const TITLES: Readonly<Record<Group, string>> = {
  program: "Program",
  machine: "Machine",
  readers: "Readers",
  nvidia: "NVIDIA",
  amd: "AMD",
  intel: "Intel",
  kernel: "Kernel",
  recording: "Recording",
};

/** SGR parameters of ECMA-48, of the terminal's own palette, so that they fit its background. */
const COLOURS: Readonly<Record<State, string>> = { ok: "32", note: "33", problem: "1;31", absent: "2" };
const BOLD = "1";
const DIM = "2";

const STATE_COLUMNS = 7;
const NAME_COLUMNS = 10;
const INDENT = 2 + STATE_COLUMNS + 2 + NAME_COLUMNS + 2;
/** A terminal that is narrower than this breaks the lines itself. */
const FEWEST_COLUMNS = INDENT + 20;

/** Findings as a person reads them, under the titles of their groups, not wider than the terminal. */
export class DoctorText {
  readonly #columns: number;
  readonly #hasColours: boolean;
  #group: Group | null = null;
  #name = "";

  constructor(columns: number, hasColours: boolean) {
    this.#columns = Math.max(columns, FEWEST_COLUMNS);
    this.#hasColours = hasColours;
  }

  /** Findings are given in the order of their groups. */
  finding({ group, name, state, says, fix }: Finding): string {
    const title =
      group === this.#group ? "" : `${this.#group === null ? "" : "\n"}${this.#paint(TITLES[group], BOLD)}\n`;
    const shown = title === "" && name === this.#name ? "" : name;
    this.#group = group;
    this.#name = name;
    const head = `  ${this.#paint(state.padEnd(STATE_COLUMNS), COLOURS[state])}  ${shown.padEnd(NAME_COLUMNS)}  `;
    const lines = this.#wrap(says).map(
      (line, i) => `${i === 0 ? head : " ".repeat(INDENT)}${this.#quiet(line, state)}\n`,
    );
    const remedy = fix === null ? [] : this.#wrap(`fix: ${fix}`).map((line) => `${" ".repeat(INDENT)}${line}\n`);
    return title + lines.join("") + remedy.join("");
  }

  summary(counts: Readonly<Record<State, number>>): string {
    const { ok, note, problem, absent } = counts;
    const problems = `${problem} problem${problem === 1 ? "" : "s"}`;
    const shown = problem > 0 ? this.#paint(problems, COLOURS.problem) : problems;
    return `\n${shown}, ${note} note${note === 1 ? "" : "s"}, ${ok} ok, ${absent} absent\n`;
  }

  #wrap(text: string): string[] {
    return wrap(text, this.#columns - INDENT);
  }

  #quiet(text: string, state: State): string {
    return state === "absent" ? this.#paint(text, DIM) : text;
  }

  #paint(text: string, parameters: string): string {
    return this.#hasColours ? `\x1b[${parameters}m${text}\x1b[0m` : text;
  }
}

/** Lines of at most so many columns, broken between words; words that are longer stand alone, whole, to be copied. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of visible(text).split(" ")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Names come from files and environments: nothing in them may act on the terminal. */
function visible(text: string): string {
  let shown = "";
  eachCluster(text, (cluster) => {
    shown += cluster;
    return false;
  });
  return shown;
}
