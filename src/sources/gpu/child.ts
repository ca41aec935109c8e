import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { LastWords, LineSplitter } from "./child_output.ts";

/** What a child does for whoever started it. */
export interface ChildOptions {
  readonly command: readonly string[];
  /** A message over Bun's IPC (JSON); without this the child has no such channel. */
  readonly onMessage?: (message: unknown) => void;
  /** A line of its stdout; without this its stdout is not read. */
  readonly onLine?: (line: string) => void;
  /** It does not run any more, or is given up: why, as `crashed (signal SIGSEGV)`. */
  readonly onEnd: (why: string) => void;
}

/** How processes are asked about and ended, and what time it is. */
export interface ProcessControl {
  now_ms(): number;
  kill(child: Bun.Subprocess): void;
  /** The letter of its state in `/proc/PID/stat`; `null`: there is none of that number. */
  state(pid: number): string | null;
}

const processControl: ProcessControl = {
  now_ms: () => performance.now(),
  kill: (child) => child.kill("SIGKILL"),
  state: processState,
};

/** A child that is killed and does not end in this time is stuck in the kernel. */
const UNKILLABLE_MS = 2000;
const LAST_WORDS_MS = 200;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
/** A child that lived so long did not end for a reason that was there when it began. */
const STABLE_MS = 60_000;
/** A deadline that is noticed so late passed while this process could not run: what it waits for may have come. */
const SLIPPED_MS = 500;
/** Of a child that could run if only it got a CPU, as many deadlines go by. */
const MOST_WAITS = 5;

const CLOSED = Number.POSITIVE_INFINITY;

/** One process from its start to its end. */
interface Run {
  readonly child: Bun.Subprocess;
  readonly started_ms: number;
  readonly words: LastWords;
  /** All that it wrote has been read. */
  readonly heard: Promise<unknown>;
  /** Why it was killed. */
  killedFor: string | null;
  /** What it must have done by when; `null`: nothing. */
  expected: Expected | null;
  /** Rings at {@link rings_ms}: then, or later, what is expected is due. */
  timer: NodeJS.Timeout | undefined;
  rings_ms: number;
}

interface Expected {
  readonly due_ms: number;
  readonly limit_ms: number;
  /** It is killed for this. */
  readonly why: string;
  /** How many times it has been waited for so long. */
  readonly wait: number;
}

/**
 * A child process that may crash or hang: it is killed when it does not do in time what is expected of it, and started
 * again after a second, then two, up to a minute. One that does not end when killed is left alone, and no other is
 * started while it lives. Nothing here keeps this process from ending, and nothing the child writes reaches a terminal.
 */
export class SupervisedChild {
  readonly #options: ChildOptions;
  readonly #control: ProcessControl;
  #run: Run | null = null;
  /** Given up, and still there. */
  #stuck: Run | null = null;
  #delay_ms = FIRST_DELAY_MS;
  #notBefore_ms = Number.NEGATIVE_INFINITY;

  constructor(options: ChildOptions, control: ProcessControl = processControl) {
    this.#options = options;
    this.#control = control;
  }

  /** It runs, and nobody has killed it. */
  get isRunning(): boolean {
    return this.#run !== null && this.#run.killedFor === null;
  }

  /** Why it is being killed; `null`: it is not, or is gone. */
  get killedFor(): string | null {
    return this.#run?.killedFor ?? null;
  }

  /** The number of a process that was killed and does not end; to be asked each cycle. */
  get stuckPid(): number | null {
    if (this.#stuck !== null && isGone(this.#control.state(this.#stuck.child.pid))) this.#stuck = null;
    return this.#stuck?.child.pid ?? null;
  }

  /** Starts it, unless it runs, or has ended or was tried too short a time ago, or one before it is stuck. */
  start(): void {
    if (this.#run !== null || this.stuckPid !== null || this.#control.now_ms() < this.#notBefore_ms) return;
    try {
      this.#run = this.#spawn();
    } catch (error) {
      this.#wait();
      this.#options.onEnd(`cannot be started: ${error instanceof Error ? error.message : error}`);
    }
  }

  send(message: object): void {
    if (this.#run === null || this.#run.killedFor !== null) return;
    try {
      this.#run.child.send(message);
    } catch {
      // It has just ended, which is told by itself.
    }
  }

  /** Kills it for `why` unless {@link met} is called within `limit_ms`; replaces what was expected before. */
  expect(limit_ms: number, why: string): void {
    const run = this.#run;
    if (run === null || run.killedFor !== null) return;
    this.#await(run, { due_ms: this.#control.now_ms() + limit_ms, limit_ms, why, wait: 1 });
  }

  met(): void {
    if (this.#run?.killedFor === null) this.#run.expected = null;
  }

  kill(why: string): void {
    const run = this.#run;
    if (run === null || run.killedFor !== null) return;
    run.killedFor = why;
    clearTimeout(run.timer);
    this.#control.kill(run.child);
    run.timer = setTimeout(() => this.#abandon(run), UNKILLABLE_MS).unref();
  }

  /** It may be started again at once: why it ended is known, and will not happen again. */
  forgive(): void {
    this.#delay_ms = FIRST_DELAY_MS;
    if (this.#notBefore_ms !== CLOSED) this.#notBefore_ms = Number.NEGATIVE_INFINITY;
  }

  /** For good: it is killed, and not started again. */
  close(): void {
    this.#notBefore_ms = CLOSED;
    this.kill("closed");
  }

  #spawn(): Run {
    const { command, onMessage, onLine } = this.#options;
    const words = new LastWords();
    const child = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: onLine ? "pipe" : "ignore",
      stderr: "pipe",
      ...(onMessage && {
        serialization: "json" as const,
        ipc: (message: unknown) => {
          if (run.killedFor === null) onMessage(message);
        },
      }),
      onExit: (_, code, signal) => this.#exited(run, code, signal),
    });
    child.unref();
    const lines = new LineSplitter((line) => run.killedFor === null && onLine?.(line));
    const run: Run = {
      child,
      started_ms: this.#control.now_ms(),
      words,
      heard: Promise.all([
        listen(child.stderr, (text) => words.add(text)),
        listen(child.stdout, (text) => lines.add(text)),
      ]),
      killedFor: null,
      expected: null,
      timer: undefined,
      rings_ms: Number.POSITIVE_INFINITY,
    };
    return run;
  }

  /** A timer that rings before it is due is left as it is: each cycle expects something, and nearly always gets it. */
  #await(run: Run, expected: Expected): void {
    run.expected = expected;
    if (run.rings_ms > expected.due_ms) this.#arm(run, expected.due_ms);
  }

  #arm(run: Run, rings_ms: number): void {
    clearTimeout(run.timer);
    run.rings_ms = rings_ms;
    run.timer = setTimeout(() => this.#ring(run), Math.max(0, rings_ms - this.#control.now_ms())).unref();
  }

  #ring(run: Run): void {
    const { expected, rings_ms } = run;
    run.rings_ms = Number.POSITIVE_INFINITY;
    if (expected === null || run.killedFor !== null) return;
    const { due_ms, limit_ms, why, wait } = expected;
    if (rings_ms < due_ms) {
      this.#arm(run, due_ms);
      return;
    }
    const now_ms = this.#control.now_ms();
    const hasSlipped = now_ms - due_ms > SLIPPED_MS;
    const wantsCpu = this.#control.state(run.child.pid) === "R";
    if ((hasSlipped || wantsCpu) && wait < MOST_WAITS) {
      this.#await(run, { due_ms: now_ms + limit_ms, limit_ms, why, wait: wait + 1 });
    } else this.kill(why);
  }

  #exited(run: Run, code: number | null, signal: number | NodeJS.Signals | null): void {
    clearTimeout(run.timer);
    if (this.#stuck === run) {
      this.#stuck = null;
      return;
    }
    if (this.#run !== run) return;
    this.#over(run);
    const tell = () => this.#options.onEnd(run.killedFor ?? ending(code, signal, run.words));
    // What it said last may still be in the pipe, which a child of its own may hold open.
    const patience = new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref());
    Promise.race([run.heard, patience]).then(tell);
  }

  #abandon(run: Run): void {
    if (this.#run !== run) return;
    if (!isGone(this.#control.state(run.child.pid))) this.#stuck = run;
    this.#over(run);
    this.#options.onEnd(run.killedFor ?? "was killed");
  }

  #over(run: Run): void {
    this.#run = null;
    if (this.#control.now_ms() - run.started_ms >= STABLE_MS) this.#delay_ms = FIRST_DELAY_MS;
    this.#wait();
  }

  #wait(): void {
    this.#notBefore_ms = Math.max(this.#notBefore_ms, this.#control.now_ms() + this.#delay_ms);
    this.#delay_ms = Math.min(this.#delay_ms * 2, LONGEST_DELAY_MS);
  }
}

/** Of what is left when nobody has asked yet how it ended, a zombie, nothing runs any more. */
const isGone = (state: string | null): boolean => state === null || state === "Z" || state === "X";

/** The letter of a state of a process; `null` where there is none of that number. */
export function processState(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.charAt(text.lastIndexOf(")") + 2);
  } catch {
    return null;
  }
}

/** As which a shell, and the runtime after its own report of a crash, give a signal. */
const SIGNALLED = 128;

/** Of these a program is the cause itself. */
const CRASHES: readonly string[] = ["SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"];
const nameOf = (signal: number): string =>
  Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? String(signal);

function ending(code: number | null, signal: number | NodeJS.Signals | null, words: LastWords): string {
  const name = signal ?? (code !== null && code > SIGNALLED ? code - SIGNALLED : null);
  if (name !== null) {
    const text = typeof name === "number" ? nameOf(name) : name;
    return `${CRASHES.includes(text) ? "crashed" : "was killed"} (signal ${text})`;
  }
  const said = words.line === "" ? "" : `: ${words.line}`;
  return `ended with status ${code}${said}`;
}

type Output = ReadableStream<Uint8Array<ArrayBuffer>> | number | undefined;

async function listen(stream: Output, add: (text: string) => void): Promise<void> {
  if (!(stream instanceof ReadableStream)) return;
  try {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) add(text);
  } catch {
    // Its end of the pipe is gone, and so is it.
  }
}
