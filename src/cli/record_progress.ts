import type { Frame } from "../frame/frame.ts";
import type { RecorderStatus } from "../recording/recorder.ts";
import { type Progress, progressLine, summaryLine } from "./progress_line.ts";
import { say } from "./say.ts";

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
    if (this.#timer) process.stderr.write(ERASE_LINE);
    say(message);
  }

  stop(): void {
    if (this.#timer) process.stderr.write(ERASE_LINE);
    clearInterval(this.#timer);
  }

  #show(): void {
    process.stderr.write(`${ERASE_LINE}${progressLine(this.#progress(), (process.stderr.columns || 80) - 1)}`);
  }

  #progress(): Progress {
    return {
      ...this.#status(),
      elapsed_ms: performance.now() - this.#start,
      duration_ms: this.#duration_ms,
      hosts: this.#hosts,
      errors: this.#errors,
      lastError: this.#lastError,
      cpuPercent: cpuPercent(),
    };
  }

  /** The closing line. */
  summary(path: string): string {
    return summaryLine(this.#progress(), path);
  }
}

/** CPU time and time of the same span: start-up, too, which is most of what a short run needs. */
function cpuPercent(): number {
  const { user, system } = process.cpuUsage();
  return ((user + system) / 1e6 / process.uptime()) * 100;
}
