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
    ? { severity: "critical", text: `${words}, since ${time}`, brief: words }
    : { severity: "critical", text: `${xid} ${time}, ${meaning}` };
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

/** The notes, in brief where not all of their words have room, and then as many as have, with how many more there are. */
export function fitNotes(notes: readonly Note[], width: number): readonly Note[] {
  if (widthOf(notes) <= width) return notes;
  const briefs = notes.map((note) => ({ ...note, text: note.brief ?? note.text }));
  for (let count = briefs.length; count > 1; count--) {
    const shown = withRest(briefs, count);
    if (widthOf(shown) <= width) return shown;
  }
  const first = withRest(briefs, 1);
  return widthOf(first) <= width ? first : briefs.slice(0, 1);
}

function withRest(notes: readonly Note[], count: number): Note[] {
  const rest = notes.length - count;
  return [...notes.slice(0, count), ...(rest > 0 ? [{ severity: "information", text: `+${rest}` } as const] : [])];
}
