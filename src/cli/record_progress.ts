import type { Frame } from "../frame/frame.ts";
import type { RecorderStatus } from "../recording/recorder.ts";
import { formatBytes, formatCount, formatElapsed } from "./units.ts";

const ERASE_LINE = "\r\x1b[K";
const REFRESH_MS = 1000;

/** What a recorder says about itself: one line that updates on a terminal, and a closing line anywhere. */
export class RecordProgress {
  readonly #status: () => RecorderStatus;
  readonly #duration_ms: number;
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #errors = 0;
  #lastError = "";
  #hosts = "";

  constructor(status: () => RecorderStatus, duration_ms: number, isLive: boolean) {
    this.#status = status;
    this.#duration_ms = duration_ms;
    if (isLive) this.#timer = setInterval(() => this.#show(), REFRESH_MS);
  }

  /** Counts what the frames' `errors` say, and hosts that are up. */
  note({ errors, scrapes = [] }: Frame): void {
    if (scrapes.length > 0) this.#hosts = `${scrapes.filter(({ up }) => up).length} of ${scrapes.length} hosts up`;
    this.#errors += errors.length;
    this.#lastError = errors.at(-1) ?? this.#lastError;
  }

  /** Something that is to stay on the screen, above the line that updates. */
  say(message: string): void {
    process.stderr.write(`${this.#timer ? ERASE_LINE : ""}all-smi: ${message}\n`);
  }

  stop(): void {
    if (this.#timer) process.stderr.write(ERASE_LINE);
    clearInterval(this.#timer);
  }

  #show(): void {
    const of = this.#duration_ms > 0 ? ` / ${formatElapsed(this.#duration_ms)}` : "";
    const errors = this.#errors > 0 ? [`${formatCount(this.#errors, "error")} (${this.#lastError})`] : [];
    const hosts = this.#hosts === "" ? [] : [this.#hosts];
    const elapsed = `${formatElapsed(performance.now() - this.#start)}${of}`;
    const parts = [elapsed, ...hosts, ...this.#figures(), ...errors];
    const line = `recording  ${parts.join("  ")}`;
    process.stderr.write(`${ERASE_LINE}${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  #figures(): string[] {
    const { frames, writtenBytes, missing } = this.#status();
    const each = frames > 0 ? `, ${formatBytes(writtenBytes / frames)} a frame` : "";
    return [
      formatCount(frames, "frame"),
      `${formatBytes(writtenBytes)}${each}`,
      `CPU ${this.#cpuPercent().toFixed(1)} %`,
      ...(missing > 0 ? [`${missing} missing`] : []),
    ];
  }

  #cpuPercent(): number {
    const { user, system } = process.cpuUsage();
    return ((user + system) / 1000 / Math.max(1, performance.now() - this.#start)) * 100;
  }

  /** The closing line. */
  summary(path: string): string {
    const errors = this.#errors > 0 ? [formatCount(this.#errors, "error")] : [];
    const figures = [...this.#figures(), ...errors].join(", ");
    return `recorded ${formatElapsed(performance.now() - this.#start)} to ${path}: ${figures}`;
  }
}
