import type { FrameEvent } from "../../../frame/schema.ts";
import { xidSeverity, xidText } from "../../gpu/nvidia/xid_texts.ts";
import { detached, type PageContext } from "./dialect.ts";

export interface Xid {
  readonly xid: number;
  /** Where the exporter tells when it was. */
  readonly t_ms: number | null;
  /** The exporter's words for it. */
  readonly message: string | null;
}

/** An XID as an event of its GPU; of now, where nobody says when it was. */
export const xidEvent = (uuid: string, { xid, t_ms, message }: Xid, now_ms: number): FrameEvent => ({
  kind: "xid",
  severity: xidSeverity(xid, message ?? ""),
  t: new Date(t_ms ?? now_ms).toISOString(),
  host: "",
  device: uuid,
  text: message === null ? xidText(xid) : `XID ${xid}: ${message}`,
});

const nameOf = ({ xid, t_ms }: Xid): string => `${xid} ${t_ms ?? ""}`;

/**
 * Exporters tell the last XID of a GPU, and go on telling it: one that differs from the page before is an event. What
 * the first page has may be of last year.
 */
export function newXids(xids: ReadonlyMap<string, Xid>, { history, t_ms }: PageContext): FrameEvent[] {
  const before = history.xids;
  history.xids = new Map([...xids].map(([uuid, xid]) => [detached(uuid), nameOf(xid)]));
  if (before === undefined) return [];
  return [...xids].flatMap(([uuid, xid]) =>
    xid.xid === 0 || before.get(uuid) === nameOf(xid) ? [] : [xidEvent(uuid, xid, t_ms)],
  );
}
