import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { type SectionName, sections } from "../frame/schema.ts";
import { Body } from "./body.ts";
import type { CycleHealth } from "./health.ts";

/** The sections a client wants; `null`: all that there are. */
export type Include = readonly SectionName[] | null;

/** More kinds of texts than this are made again for each who asks: nobody may fill the memory with them. */
const KEPT_KINDS = 8;

/** A frame with no other sections than those. */
export function onlySections(frame: Frame, include: Include): Frame {
  if (include === null) return frame;
  const rest: Frame = { ...frame };
  for (const name of Object.keys(sections) as SectionName[]) if (!include.includes(name)) delete rest[name];
  return rest;
}

/** A cycle as it is served: every text of it is made when it is first asked for, and once for all who ask. */
export class ServedCycle {
  readonly frame: Frame;
  readonly health: CycleHealth;
  readonly #frames = new Map<string, Body>();
  readonly #metrics = new Map<string, Body>();

  constructor(frame: Frame, health: CycleHealth) {
    this.frame = frame;
    this.health = health;
  }

  /** The frame's line, and what `dress` makes of it: `as` names that. */
  frameBody(include: Include, as: string, dress: (line: string) => string): Body {
    const make = () => dress(frameLine(onlySections(this.frame, include)));
    return remembered(this.#frames, `${as} ${include ?? "all"}`, make);
  }

  metricsBody(format: "text" | "openmetrics", make: () => string): Body {
    return remembered(this.#metrics, format, make);
  }
}

function remembered(bodies: Map<string, Body>, key: string, make: () => string): Body {
  const known = bodies.get(key);
  if (known !== undefined) return known;
  const body = new Body(make());
  if (bodies.size < KEPT_KINDS) bodies.set(key, body);
  return body;
}
