import type { FrameEvent } from "../../../frame/schema.ts";
import { detached, type PageContext } from "./dialect.ts";
import { xidEvent } from "./xid.ts";

/** Of one page. */
const MOST_COUNTS = 1024;

/** `XID 31` of an event's text. */
const codeIn = (text: string): string => text.split(":", 1)[0] ?? "";

/**
 * How often each XID was counted: in all, or in a window that moves on. A count that rose is an event, also where the
 * last XID is the same as before. What the first page has may be of last year.
 */
export class XidCounts {
  readonly #counts = new Map<string, { readonly uuid: string; readonly xid: number; readonly count: number }>();

  note(uuid: string, xid: number | null, count: number): void {
    if (xid !== null && xid > 0 && this.#counts.size < MOST_COUNTS)
      this.#counts.set(`${uuid} ${xid}`, { uuid, xid, count });
  }

  /** Without those that `told` has already. */
  news(told: readonly FrameEvent[], { history, t_ms }: PageContext): FrameEvent[] {
    const before = history.xid_counts;
    history.xid_counts = new Map([...this.#counts].map(([key, { count }]) => [detached(key), count]));
    if (before === undefined) return [];
    const events = [...this.#counts].flatMap(([key, { uuid, xid, count }]) =>
      count > (before.get(key) ?? 0) ? [xidEvent(uuid, { xid, t_ms: null, message: null }, t_ms)] : [],
    );
    const isTold = ({ device, text }: FrameEvent): boolean =>
      told.some((one) => one.device === device && codeIn(one.text) === codeIn(text));
    return events.filter((event) => !isTold(event));
  }
}
