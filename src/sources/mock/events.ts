import type { FrameEvent } from "../../frame/schema.ts";
import { xidSeverity, xidText } from "../gpu/nvidia/xid_texts.ts";
import type { HostIdentity } from "../source.ts";
import { isUncorrectable, weakLink } from "./gpu_health.ts";
import { type Incident, type IncidentSchedule, SLOT_S } from "./incidents.ts";

/** What only a listener hears of: the driver reports an XID at the moment it happens. */
type Xid = Pick<FrameEvent, "severity" | "text">;

const xid = (code: number, words = ""): Xid => ({ severity: xidSeverity(code), text: `${xidText(code)}${words}` });

function xidOf(incident: Incident, gpu: number, seed: number, incidents: IncidentSchedule): Xid | null {
  switch (incident.kind) {
    case "gpu_lost":
      return xid(79);
    case "link":
      return xid(74, ` on link ${weakLink(seed, incident.host, gpu)}`);
    case "ecc":
      return isUncorrectable(incidents, incident.host, gpu, incident.begin_s) ? xid(94) : null;
    default:
      return null;
  }
}

interface Listener {
  readonly seed: number;
  readonly incidents: IncidentSchedule;
  identity(host: number): HostIdentity;
  uuid(host: number, gpu: number): string;
}

/** What happened after `from_s`, up to and including `to_s`; after a longer pause, only that of the last two slots. */
export function eventsBetween(from_s: number, to_s: number, listener: Listener): FrameEvent[] {
  const events: FrameEvent[] = [];
  const slot = Math.floor(to_s / SLOT_S);
  for (const incident of [listener.incidents.inSlot(slot - 1), listener.incidents.inSlot(slot)]) {
    if (incident === null || incident.gpu === null) continue;
    if (incident.begin_s <= from_s || incident.begin_s > to_s) continue;
    const heard = xidOf(incident, incident.gpu, listener.seed, listener.incidents);
    if (heard === null) continue;
    events.push({
      kind: "xid",
      t: new Date(incident.begin_s * 1000).toISOString(),
      host: listener.identity(incident.host).host_id,
      device: listener.uuid(incident.host, incident.gpu),
      ...heard,
    });
  }
  return events;
}
