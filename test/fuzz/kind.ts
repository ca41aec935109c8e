import type { Chance } from "./chance.ts";

/** Makes one input that is wrong somewhere, and does with it all that the program would. */
export type RunCase = (chance: Chance) => Promise<string>;

/** What a kind of input is fuzzed by. */
export interface Fuzzed extends Disposable {
  /** Says how far the input got, in a word. Throws on a mistake of ours. */
  readonly runCase: RunCase;
  /** CPU time that no case of this kind may take. */
  readonly most_ms: number;
}

/** Opens a kind of input in an empty folder of its own. */
export type OpenKind = (folder: string) => Promise<Fuzzed>;
