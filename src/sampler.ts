import { type Clock, localTime } from "./clock.ts";
import { cleanReading } from "./frame/clean_reading.ts";
import type { Frame, Sections, SourceKind } from "./frame/frame.ts";
import type { SectionName } from "./frame/schema.ts";
import type { Cycle, Reading, Source } from "./sources/source.ts";

export interface SamplerOptions {
  readonly sources: readonly Source[];
  /** The sections that were asked for: `[]` in a frame where no source had any. */
  readonly include: readonly SectionName[];
  readonly hostname: string;
  /** Of a machine that may be renamed, asked once a cycle, before its sources are. */
  readonly nameNow?: () => string;
  readonly source: SourceKind;
  readonly interval_ms: number;
  /** No cycle begins this long after the first; 0: until the signal. */
  readonly duration_ms: number;
  /** How long somebody waits for each frame, where it is not the interval that sets it. */
  readonly deadline_ms?: number;
  readonly clock: Clock;
}

/** How one source did in a cycle. */
export interface SourceOutcome {
  readonly name: string;
  /** Until it answered; where it has not, since it was asked, maybe cycles ago. */
  readonly duration_ms: number;
  /** It answered in time, with nothing that it could not read. */
  readonly isComplete: boolean;
}

/** How a cycle went, which is no part of its frame. */
export interface CycleOutcome {
  readonly duration_ms: number;
  readonly sources: readonly SourceOutcome[];
}

export type TakeFrame = (frame: Frame, outcome: CycleOutcome) => void;

type How = Pick<Cycle, "wait_ms" | "isOnlyForRates">;

interface Answer {
  readonly reading: Reading;
  readonly outcome: SourceOutcome;
}

/** How long a cycle waits for its sources. */
const DEADLINE_MS = 5000;
const deadline = (interval_ms: number): number => Math.min(DEADLINE_MS, interval_ms * 0.8);

/** Between the two readings that a first frame's rates come from. */
const PRIME_MS = 250;
/** Of the time that somebody waits for the first frame, what is for the first of them at most. */
const PRIME_SHARE = 0.5;

/** Below this a difference between clocks is drift that is being slewed, not a step. */
const STEP_MS = 1000;
const DRIFT = 0.001;

interface Instant {
  readonly wall: number;
  readonly monotonic: number;
  readonly boottime: number;
}

/**
 * Reads all sources once a cycle, on a fixed grid of the monotonic clock, and hands on each cycle as a frame, whatever
 * failed in it. `seq` and `elapsed_ms` count from the sampler's first frame.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  /** Sources that have not answered yet, and when each was asked. */
  readonly #busy = new Map<Source, number>();
  #first: Instant | null = null;
  #last: Instant | null = null;
  #seq = 0;
  /** What the reading before the first cycle took, and the pause after it. */
  #spent_ms = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Runs until the duration is over or the signal is aborted. A cycle under way then is not handed on. */
  async run(signal: AbortSignal, onFrame: TakeFrame): Promise<void> {
    const { clock, interval_ms, duration_ms } = this.#options;
    await this.#prime(signal);
    const start = clock.monotonic();
    const span_ms = duration_ms > 0 ? duration_ms : Number.POSITIVE_INFINITY;
    let slot = 0;
    let skipped = 0;
    while (!signal.aborted && slot * interval_ms < span_ms) {
      await clock.until(start + slot * interval_ms, signal);
      if (signal.aborted) return;
      await this.#cycle(signal, skipped, onFrame);
      const next = nextSlot((clock.monotonic() - start) / interval_ms, slot);
      skipped = next - slot - 1;
      slot = next;
    }
    if (duration_ms > 0) await clock.until(start + duration_ms, signal);
  }

  close(): void {
    for (const source of this.#options.sources) source.close?.();
  }

  async #prime(signal: AbortSignal): Promise<void> {
    const { sources, clock, interval_ms, deadline_ms } = this.#options;
    const timed = sources.filter((source) => source.fromTwoReadings);
    if (timed.length === 0) return;
    const pause_ms = Math.min(PRIME_MS, interval_ms);
    const wait_ms = deadline_ms === undefined ? pause_ms : deadline_ms * PRIME_SHARE;
    const now = this.#now();
    await this.#read(timed, { wait_ms, isOnlyForRates: true }, now, signal);
    await clock.until(clock.monotonic() + pause_ms, signal);
    this.#spent_ms = clock.monotonic() - now.monotonic;
  }

  /** How long a cycle waits for its sources. */
  get #wait_ms(): number {
    const { interval_ms, deadline_ms } = this.#options;
    if (deadline_ms === undefined) return deadline(interval_ms);
    return this.#seq > 0 ? deadline_ms : Math.max(deadline_ms - this.#spent_ms, deadline_ms * (1 - PRIME_SHARE));
  }

  #now(): Instant {
    const { clock } = this.#options;
    return { wall: clock.wall(), monotonic: clock.monotonic(), boottime: clock.boottime() };
  }

  async #cycle(signal: AbortSignal, skipped: number, onFrame: TakeFrame): Promise<void> {
    const { sources, include, source, clock } = this.#options;
    const now = this.#now();
    const hostname = this.#options.nameNow?.() ?? this.#options.hostname;
    const errors = [...clockErrors(this.#last, now), ...skippedErrors(skipped)];
    this.#first ??= now;
    this.#last = now;
    const answers = await this.#read(sources, { wait_ms: this.#wait_ms }, now, signal);
    if (signal.aborted) return;
    const duration_ms = clock.monotonic() - now.monotonic;
    const frame: Frame = {
      t_ms: Math.round(now.wall),
      seq: this.#seq++,
      elapsed_ms: Math.round(now.boottime - this.#first.boottime),
      source,
      hostname,
      errors,
    };
    for (const section of include) frame[section] = [];
    for (const { reading } of answers) merge(frame, reading);
    onFrame(frame, { duration_ms, sources: answers.map(({ outcome }) => outcome) });
  }

  /** Asks the sources, and gives what they answered until the deadline: for each a reading, if only of errors. */
  async #read(sources: readonly Source[], how: How, now: Instant, signal: AbortSignal): Promise<Answer[]> {
    const { clock, deadline_ms } = this.#options;
    const closed = new AbortController();
    const cycle: Cycle = {
      t_ms: Math.round(now.wall),
      time: localTime(now.wall),
      ...how,
      ...(deadline_ms !== undefined && { isAwaited: true }),
      monotonic_ms: now.monotonic,
      signal: closed.signal,
    };
    const answers = new Map<Source, Answer>();
    const asked = sources.map((source) => this.#ask(source, cycle, (answer) => answers.set(source, answer)));
    const close = () => closed.abort();
    signal.addEventListener("abort", close);
    await Promise.race([Promise.all(asked), clock.until(now.monotonic + how.wait_ms, closed.signal)]);
    signal.removeEventListener("abort", close);
    closed.abort();
    return sources.map((source) => answers.get(source) ?? this.#late(source));
  }

  #late(source: Source): Answer {
    const now_ms = this.#options.clock.monotonic();
    const { name } = source;
    return {
      reading: { errors: [`${name}: late, has not answered`] },
      outcome: { name, duration_ms: now_ms - (this.#busy.get(source) ?? now_ms), isComplete: false },
    };
  }

  /** Starts a source unless it is still busy with an earlier cycle; never rejects. */
  async #ask(source: Source, cycle: Cycle, take: (answer: Answer) => void): Promise<void> {
    if (this.#busy.has(source)) return;
    const { clock } = this.#options;
    const asked_ms = clock.monotonic();
    this.#busy.set(source, asked_ms);
    const answer = (reading: Reading) => {
      const isComplete = (reading.errors ?? []).length === 0;
      take({ reading, outcome: { name: source.name, duration_ms: clock.monotonic() - asked_ms, isComplete } });
    };
    try {
      answer(await source.read(cycle));
    } catch (error) {
      answer({ errors: [`${source.name}: ${reason(error)}`] });
    } finally {
      this.#busy.delete(source);
    }
  }
}

const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

/** A slot that passed while a cycle ran late is skipped, unless there is still time enough to keep the distance. */
const LATE_SHARE = 0.2;
const nextSlot = (passed: number, slot: number): number => Math.max(slot + 1, Math.ceil(passed - LATE_SHARE));

function merge(frame: Frame, reading: Reading): void {
  cleanReading(reading);
  const { errors, scrapes, events, ...sections } = reading;
  for (const [name, devices] of Object.entries(sections) as [keyof Sections, unknown[]][]) {
    const list = (frame[name] ?? []) as unknown[];
    frame[name] = [...list, ...devices] as never;
  }
  if (errors) frame.errors.push(...errors);
  if (scrapes) frame.scrapes = [...(frame.scrapes ?? []), ...scrapes];
  if (events) frame.events = [...(frame.events ?? []), ...events];
}

/** What the clocks did between two cycles that a reader of the recording must know. */
function clockErrors(last: Instant | null, now: Instant): string[] {
  if (last === null) return [];
  const errors: string[] = [];
  const passed = now.boottime - last.boottime;
  const step = now.wall - last.wall - passed;
  const tolerance = STEP_MS + passed * DRIFT;
  const suspended = passed - (now.monotonic - last.monotonic);
  if (suspended > tolerance) errors.push(`clock: machine was suspended for ${seconds(suspended)} s`);
  if (Math.abs(step) > tolerance) errors.push(`clock: stepped by ${seconds(step)} s`);
  return errors;
}

const skippedErrors = (cycles: number): string[] =>
  cycles > 0 ? [`sampler: ${cycles} cycle${cycles === 1 ? "" : "s"} skipped`] : [];

const seconds = (ms: number): string => String(Math.round(ms / 100) / 10);
