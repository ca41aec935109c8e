import type { DetectedEvent } from "../events/event.ts";
import type { CursorRange, EnvelopeColumn, History, Position } from "../recording/cursor.ts";

/** Everything a screen is drawn from: the frame, its history, and what the person at the keyboard chose. */
export interface ViewInput {
  /** `null` while there is no frame yet. */
  readonly position: Position | null;
  readonly history: (length: number) => History;
  readonly timeline: Timeline;
  readonly choices: Choices;
  readonly status: Status;
  readonly zones: Zones;
  /** Who recorded, as far as it is known; of a live view, this program. */
  readonly interval_ms: number | null;
}

/** What the scrubber shows. */
export interface Timeline {
  readonly range: CursorRange;
  readonly envelope: (columns: number) => readonly (EnvelopeColumn | null)[];
  readonly events: readonly DetectedEvent[];
}

export type ProcessSort = "default" | "cpu" | "memory" | "gpu_memory" | "pid" | "user" | "time";
/** By itself (`default`): what is lost comes first, the rest as given. */
export type HostOrder = "default" | "trouble" | "utilization" | "name" | "given";
export type GpuSort = "default" | "utilization" | "memory";

/** What the keys and the mouse set. Nothing of it comes from a frame. */
export interface Choices {
  /** The `host_id` whose tab is open; `null`: all hosts. Where a frame has one host only, that one is shown. */
  readonly host: string | null;
  /** The host that is marked on the overview. */
  readonly marked: string | null;
  readonly hostOrder: HostOrder;
  readonly gpuSort: GpuSort;
  readonly processSort: ProcessSort;
  readonly isDescending: boolean;
  readonly onlyGpuProcesses: boolean;
  /** Rows of the process table, or of the overview, that are scrolled away above. */
  readonly scroll: number;
  readonly filter: string;
  readonly zone: ZoneName;
  readonly isHelpOpen: boolean;
  /** An entry line under the keys; `null` where none is open. */
  readonly entry: Entry | null;
}

/** A line that is being typed: the filter, or where to go. */
export interface Entry {
  readonly kind: "filter" | "goto";
  readonly text: string;
  /** Why what was typed will not do. */
  readonly problem: string | null;
}

export type ZoneName = "viewer" | "recorder" | "utc";

/** IANA names. The recorder's is `null` where the recording does not say. */
export interface Zones {
  readonly viewer: string;
  readonly recorder: string | null;
}

/** The one thing in which live and replay differ on the screen: the line at the bottom. */
export type Status = LiveStatus | ReplayStatus;

interface CommonStatus {
  /** Something to say for a while: a gap that was jumped, lines that were skipped, a refused schema. */
  readonly note: string | null;
  /** Share of opening, scanning or seeking that is done, 0 to 1; `null` where nothing takes long. */
  readonly progress: number | null;
}

export interface LiveStatus extends CommonStatus {
  readonly kind: "live";
  /** Frozen by Space or a step back; then what is shown is not now. */
  readonly isFrozen: boolean;
}

export interface ReplayStatus extends CommonStatus {
  readonly kind: "replay";
  readonly state: "playing" | "paused" | "end";
  readonly speed: number;
  readonly isLoop: boolean;
}
