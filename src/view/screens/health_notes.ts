import type { Gpu } from "../../frame/schema.ts";
import { gpuNotes, type Note } from "../gpus.ts";
import { textWidth } from "../text.ts";
import type { Zone } from "../zone.ts";

type Lost = NonNullable<Gpu["lost"]>;

/** The moment that is shown, and how to write one. */
export interface Now {
  readonly t_ms: number;
  readonly zone: Zone;
}

/** Between two notes. */
export const SEPARATOR = ", ";

const DAY_MS = 24 * 3_600_000;

/** Why a card is lost, and since when: of an XID the number comes first, as the rest may have no room. */
function lostNote({ reason, since }: Lost, { t_ms, zone }: Now): Note {
  const words = reason === "" ? "lost" : reason;
  const since_ms = Date.parse(since);
  if (Number.isNaN(since_ms)) return { severity: "critical", text: words };
  const time = Math.abs(t_ms - since_ms) < DAY_MS ? zone.time(since_ms) : zone.day(since_ms);
  const [, xid, meaning] = /^(XID \d+): (.*)$/.exec(words) ?? [];
  return xid === undefined
    ? { severity: "critical", text: `${words}, since ${time}`, briefs: [words] }
    : { severity: "critical", text: `${xid} ${time}, ${meaning}`, briefs: [`${xid} ${time}`, xid] };
}

/** What is to be said of a GPU: the worst first, the latest news among it. */
export function healthNotes(gpu: Gpu, news: Note | null, now: Now): Note[] {
  if (gpu.lost) {
    const { reason } = gpu.lost;
    const isNew = news !== null && !(reason !== "" && news.text.startsWith(reason));
    return [lostNote(gpu.lost, now), ...(isNew ? [news] : [])];
  }
  const state = gpuNotes(gpu);
  if (news === null) return state;
  const isStateWorse = state.some(({ severity }) => severity === "critical");
  return isStateWorse ? [...state, news] : [news, ...state];
}

const widthOf = (notes: readonly Note[]): number =>
  notes.reduce((sum, { text }) => sum + textWidth(text), SEPARATOR.length * (notes.length - 1));

/** Of a note, the words that are left when it has been shortened so many times. */
const wordsOf = ({ text, briefs = [] }: Note, times: number): string =>
  times === 0 ? text : (briefs[Math.min(times, briefs.length) - 1] ?? text);

/** So often a note can be shortened. */
const MOST_TIMES = 2;

/** As many notes as have room in their fewest words, with how many more there are; the worst then get more words. */
export function fitNotes(notes: readonly Note[], width: number): readonly Note[] {
  const shortest = notes.map((note) => ({ ...note, text: wordsOf(note, MOST_TIMES) }));
  for (let count = notes.length; count > 0; count--) {
    const shown = withRest(shortest, count);
    if (widthOf(shown) <= width) return lengthened(shown, notes.slice(0, count), width);
  }
  return shortest.slice(0, 1);
}

/** One after the other in as many words as still fit. */
function lengthened(shown: Note[], notes: readonly Note[], width: number): Note[] {
  for (const [i, note] of notes.entries()) {
    for (let times = MOST_TIMES; times >= 0; times--) {
      const longer = shown.with(i, { ...note, text: wordsOf(note, times) });
      if (widthOf(longer) <= width) shown[i] = { ...note, text: wordsOf(note, times) };
    }
  }
  return shown;
}

function withRest(notes: readonly Note[], count: number): Note[] {
  const rest = notes.length - count;
  return [...notes.slice(0, count), ...(rest > 0 ? [{ severity: "information", text: `+${rest}` } as const] : [])];
}
