import type { Sections } from "../../../frame/frame.ts";
import type { FrameEvent } from "../../../frame/schema.ts";
import { knownText } from "../../plausible.ts";
import type { HostIdentity } from "../../source.ts";
import type { Take } from "../exposition.ts";

/** What a dialect keeps of an endpoint's earlier pages, for what only two of them tell together. */
export interface History {
  /** Of node_exporter. */
  counters?: NodeCounters;
  /** The last XID of each GPU, and when it was. */
  xids?: ReadonlyMap<string, string>;
  /** How often each XID of each GPU was counted. */
  xid_counts?: ReadonlyMap<string, number>;
}

export interface NodeCounters {
  readonly monotonic_ms: number;
  /** Seconds by CPU number. */
  readonly cpus: ReadonlyMap<string, CpuSeconds>;
  /** Joules by RAPL package. */
  readonly joules: ReadonlyMap<string, number>;
}

export interface CpuSeconds {
  readonly idle: number;
  readonly all: number;
}

/** What a dialect must know beyond the page. */
export interface PageContext {
  /** For the devices' `time`. */
  readonly time: string;
  /** For an event that shows in this page. */
  readonly t_ms: number;
  readonly monotonic_ms: number;
  readonly history: History;
  /** Whether per-core values are wanted. */
  readonly perCore: boolean;
}

/** A page as devices. Whose they are is not filled in yet, but for what the page itself says. */
export interface Told {
  readonly sections: Sections;
  /** The machine's name by its own account. */
  readonly hostname: string | null;
  /** The page is of an exporter that speaks for others: nobody could tell whose a GPU is. */
  readonly hasSeveralHosts?: boolean;
  /** `device` is a UUID, `host` is filled in later. */
  readonly events?: readonly FrameEvent[];
  /** As in a frame. */
  readonly errors?: readonly string[];
}

/** Reads the series of one page. */
export interface PageReader {
  /** Who takes the series of this family; `null` for one of which a frame has nothing. */
  take(family: string): Take | null;
  /** After the last series; `null` where none was this exporter's. Leaves in the history what the next page needs. */
  finish(context: PageContext): Told | null;
}

/** What one kind of exporter writes. */
export interface Dialect {
  /** Whether a family may be one of this exporter. */
  owns(family: string): boolean;
  open(): PageReader;
}

/** Devices of one section, of one page, at most. */
export const MOST_DEVICES = 256;
/** A page's devices until then: by one more it is known that there are more. */
export const MOST_READ = MOST_DEVICES + 1;

export const NOBODY: HostIdentity = { host_id: "", hostname: "", instance: "" };

export const MIB = 2 ** 20;

/** A number out of a label; `null` where it is none that places anything. */
export const naturalOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;

/** A free-form text only where there is one. */
export const textOf = (text: string | undefined): string | null => knownText(text);

/** A text of its own: a part of a page keeps that whole piece of the page in memory for as long as it is held. */
export const detached = (text: string): string => Buffer.from(text).toString();
