import { Cells } from "./cells.ts";
import { Controls } from "./controls.ts";
import { draw } from "./draw.ts";
import { Lapse, processClock } from "./lapse.ts";
import { Player } from "./player.ts";
import { playerStatus, type Subject, viewInput } from "./screen.ts";
import type { Terminal, TerminalListener } from "./terminal.ts";
import { type Background, makeTheme, type Theme } from "./theme.ts";
import { formatElapsed, type Target } from "./timecode.ts";
import { Travel } from "./travel.ts";

export interface AppOptions extends Subject {
  readonly theme: Theme;
  readonly speed: number;
  readonly isLoop: boolean;
  readonly isPaused: boolean;
  /** Where to begin; `null`: at the first frame, live at the last. */
  readonly start: Target | null;
  /** Said at the beginning; `null`: nothing. */
  readonly warning: string | null;
  readonly openTerminal: (listener: TerminalListener) => Promise<Terminal>;
}

/** So long something is said in the status line. */
const NOTE_MS = 4000;
/** Changes that come faster than this are drawn together. */
const SHORTEST_REDRAW_MS = 25;

/** The interactive view: draws what the player shows, and hands keys and mouse to the controls. */
export class App implements TerminalListener {
  readonly #options: AppOptions;
  readonly #player: Player;
  readonly #travel: Travel;
  readonly #controls: Controls;
  readonly #noteTime = new Lapse(processClock);
  readonly #redraw = new Lapse(processClock);
  readonly #done = Promise.withResolvers<void>();
  #terminal: Terminal | null = null;
  #theme: Theme;
  #cells = new Cells(0, 0);
  #drawnAt_ms = Number.NEGATIVE_INFINITY;
  #note: string | null = null;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#theme = options.theme;
    this.#player = new Player(options.cursor, {
      speed: options.speed,
      isLoop: options.isLoop,
      isPlaying: !options.isPaused,
      isLive: options.isLive,
      interval_ms: options.interval_ms,
      clock: processClock,
      onChange: () => this.#changed(),
      onJump: (distance_ms) => this.#say(`gap of ${formatElapsed(distance_ms)} skipped`),
      onError: (error) => this.crashed(error),
    });
    this.#travel = new Travel(this.#player, options.cursor, processClock, (note) => this.#say(note));
    this.#controls = new Controls({
      player: this.#player,
      travel: this.#travel,
      zones: options.zones,
      isLive: options.isLive,
      say: (note) => this.#say(note),
      quit: () => this.quit(),
      onChange: () => this.#changed(),
    });
  }

  /** Until somebody quits. Rejects when something crashed; the terminal is given back either way. */
  async run(): Promise<void> {
    const { openTerminal, start, isLive, warning } = this.#options;
    this.#terminal = await openTerminal(this);
    try {
      if (warning !== null) this.#say(warning);
      if (start !== null) this.#travel.go(start);
      else if (isLive) this.#player.follow();
      else this.#travel.first();
      this.#draw();
      await this.#done.promise;
    } finally {
      this.#player.close();
      this.#noteTime.stop();
      this.#redraw.stop();
      await this.#terminal.close();
    }
  }

  quit(): void {
    this.#done.resolve();
  }

  crashed(error: unknown): void {
    this.#done.reject(error);
  }

  key(key: string): void {
    this.#unsay();
    this.#controls.key(key);
  }

  paste(text: string): void {
    this.#controls.paste(text);
  }

  mouse(input: Parameters<TerminalListener["mouse"]>[0]): void {
    if (input.kind === "down") this.#unsay();
    this.#controls.mouse(input);
  }

  resized(): void {
    this.#draw();
  }

  background(background: Background): void {
    if (background === this.#theme.background) return;
    this.#theme = makeTheme(this.#theme.depth, background);
    this.#changed();
  }

  #say(note: string): void {
    this.#note = note;
    this.#noteTime.begin(NOTE_MS, () => {
      this.#note = null;
      this.#changed();
    });
    this.#changed();
  }

  /** What was said is about where one was: it goes with the next key. */
  #unsay(): void {
    if (this.#note === null) return;
    this.#note = null;
    this.#noteTime.stop();
    this.#changed();
  }

  /** Draws soon. */
  #changed(): void {
    if (this.#redraw.isOn || this.#terminal === null) return;
    const since_ms = processClock.now() - this.#drawnAt_ms;
    this.#redraw.begin(SHORTEST_REDRAW_MS - since_ms, () => this.#draw());
  }

  #draw(): void {
    const terminal = this.#terminal;
    if (terminal === null) return;
    this.#redraw.stop();
    this.#drawnAt_ms = processClock.now();
    const { width, height } = terminal;
    if (this.#cells.width !== width || this.#cells.height !== height) this.#cells = new Cells(width, height);
    const status = playerStatus(this.#options, this.#player, this.#note);
    const input = viewInput(this.#options, this.#controls.choices, status);
    this.#controls.hits = draw(this.#cells, input, this.#theme);
    terminal.show(this.#cells);
  }
}
