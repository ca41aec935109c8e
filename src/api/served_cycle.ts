import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { type Part, withoutParts } from "../frame/parts.ts";
import { type SectionName, sections } from "../frame/schema.ts";
import { Body } from "./body.ts";
import type { CycleHealth } from "./health.ts";

/** What a client wants of a frame. */
export interface Selection {
  /** `null`: all sections that there are. */
  readonly include: readonly SectionName[] | null;
  readonly without: readonly Part[];
}

/** More kinds of texts than this are made again for each who asks: nobody may fill the memory with them. */
const KEPT_KINDS = 8;

export function selected(frame: Frame, { include, without }: Selection): Frame {
  if (include === null) return withoutParts(frame, without);
  const rest: Frame = { ...frame };
  for (const name of Object.keys(sections) as SectionName[]) if (!include.includes(name)) delete rest[name];
  return withoutParts(rest, without);
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
  frameBody(selection: Selection, as: string, dress: (line: string) => string): Body {
    const make = () => dress(frameLine(selected(this.frame, selection)));
    return remembered(this.#frames, `${as} ${selection.include ?? "all"} ${selection.without}`, make);
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
