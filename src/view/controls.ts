import { INITIAL_CHOICES, openTab, orderHosts, scrollBy, sortGpus, sortProcesses } from "./choices.ts";
import { editEntry, typeInto } from "./entry.ts";
import { type HeaderHit, type Hits, isInside, noHits, type Region } from "./hits.ts";
import { actionOf, type Desk, type Key } from "./keys.ts";
import type { Choices, Entry, Zones } from "./model.ts";
import type { Player } from "./player.ts";
import { parseTimecode, TimecodeError } from "./timecode.ts";
import type { Travel } from "./travel.ts";
import { chosenZone } from "./zone.ts";

/** What the mouse did, in columns and rows of the screen; a drag may have left it. */
export interface MouseInput {
  readonly kind: "down" | "drag" | "up" | "scroll";
  readonly x: number;
  readonly y: number;
  /** Of a scroll: rows, downwards positive. */
  readonly rows: number;
}

export interface ControlsOptions {
  readonly player: Player;
  readonly travel: Travel;
  readonly zones: Zones;
  readonly isLive: boolean;
  readonly say: (note: string) => void;
  readonly quit: () => void;
  readonly onChange: () => void;
}

/** Takes keys and mouse, and holds what they chose. */
export class Controls implements Desk {
  readonly player: Player;
  readonly travel: Travel;
  readonly zones: Zones;
  readonly say: (note: string) => void;
  readonly quit: () => void;
  readonly #isLive: boolean;
  readonly #onChange: () => void;
  /** Set after every drawing. */
  hits: Hits = noHits();
  #choices: Choices = INITIAL_CHOICES;
  #isScrubbing = false;

  constructor({ player, travel, zones, isLive, say, quit, onChange }: ControlsOptions) {
    this.player = player;
    this.travel = travel;
    this.zones = zones;
    this.say = say;
    this.quit = quit;
    this.#isLive = isLive;
    this.#onChange = onChange;
  }

  get choices(): Choices {
    return this.#choices;
  }

  set choices(choices: Choices) {
    if (choices === this.#choices) return;
    this.#choices = choices;
    this.#onChange();
  }

  key(key: Key): void {
    const { entry, isHelpOpen } = this.#choices;
    if (entry !== null && this.#keyInEntry(entry, key)) return;
    if (isHelpOpen && key !== "q" && key !== "ctrl+c") this.choices = { ...this.#choices, isHelpOpen: false };
    else actionOf(key, this.#isLive)?.(this);
  }

  paste(text: string): void {
    if (this.#choices.entry !== null) this.#setEntry(typeInto(this.#choices.entry, text));
  }

  #keyInEntry(entry: Entry, key: Key): boolean {
    if (key === "ctrl+c") return false;
    if (key === "escape") this.#leaveEntry(entry);
    else if (key === "enter") this.#enter(entry);
    else {
      const edited = editEntry(entry, key);
      if (edited !== null) this.#setEntry(edited);
    }
    return true;
  }

  /** A filter applies while it is typed. */
  #setEntry(entry: Entry): void {
    const isFilter = entry.kind === "filter";
    this.choices = { ...this.#choices, entry, ...(isFilter ? { filter: entry.text, scroll: 0 } : {}) };
  }

  #leaveEntry({ kind }: Entry): void {
    this.choices = { ...this.#choices, entry: null, ...(kind === "filter" ? { filter: "", scroll: 0 } : {}) };
  }

  #enter(entry: Entry): void {
    try {
      if (entry.kind === "goto") this.#goTo(entry.text);
      this.choices = { ...this.#choices, entry: null };
    } catch (error) {
      if (!(error instanceof TimecodeError)) throw error;
      this.#setEntry({ ...entry, problem: error.message });
    }
  }

  #goTo(text: string): void {
    const t_ms = this.player.shown?.frame.t_ms ?? 0;
    this.travel.go(parseTimecode(text, { t_ms, zone: chosenZone(this.#choices.zone, this.zones).name }));
  }

  mouse(input: MouseInput): void {
    if (input.kind === "up") this.#isScrubbing = false;
    else if (input.kind === "scroll") this.choices = scrollBy(this.#choices, this.hits, input.rows);
    else if (input.kind === "drag") this.#drag(input);
    else this.#press(input);
  }

  #press({ x, y }: MouseInput): void {
    const { scrubber, tabs, headers, hosts } = this.hits;
    const hit = <R extends Region>(regions: readonly R[]) => regions.find((region) => isInside(region, x, y));
    if (this.#choices.isHelpOpen) {
      this.choices = { ...this.#choices, isHelpOpen: false };
    } else if (scrubber !== null && isInside(scrubber, x, y)) {
      this.#isScrubbing = true;
      this.#scrub(x);
    } else {
      const tab = hit(tabs) ?? hit(hosts);
      const header = hit(headers);
      if (tab !== undefined) this.choices = openTab(this.#choices, tab.host);
      else if (header !== undefined) this.choices = clickHeader(this.#choices, header);
    }
  }

  #drag({ x }: MouseInput): void {
    if (this.#isScrubbing) this.#scrub(x);
  }

  #scrub(x: number): void {
    if (this.hits.scrubber !== null) this.travel.toColumn(this.hits.scrubber, x);
  }
}

function clickHeader(choices: Choices, header: HeaderHit): Choices {
  switch (header.table) {
    case "processes":
      return sortProcesses(choices, header.sort);
    case "gpus":
      return sortGpus(choices, header.sort);
    case "hosts":
      return orderHosts(choices, header.order);
  }
}
