import {
  type CliRenderer,
  createCliRenderer,
  FrameBufferRenderable,
  type KeyEvent,
  type MouseEvent,
  type PasteEvent,
  RGBA,
} from "@opentui/core";
import { nearest16, nearest256 } from "./ansi.ts";
import { type Cells, DEFAULT_COLOUR } from "./cells.ts";
import type { MouseInput } from "./controls.ts";
import type { Key } from "./keys.ts";
import type { Background, ColourDepth } from "./theme.ts";

/** What a terminal tells. */
export interface TerminalListener {
  key(key: Key): void;
  paste(text: string): void;
  mouse(input: MouseInput): void;
  resized(): void;
  /** The terminal says what its background is like, in its own time; some never do. */
  background(background: Background): void;
  /** Something threw that nobody else catches. */
  crashed(error: unknown): void;
}

/**
 * Puts cells on the terminal, in its alternate screen, and hands over keys and mouse. The only file that knows the
 * terminal library, which takes 60 ms and 30 MB to load: import it when a screen is wanted.
 */
export class Terminal {
  readonly #renderer: CliRenderer;
  readonly #surface: FrameBufferRenderable;
  readonly #colours: Colours;
  readonly #onResize: () => void;

  private constructor(renderer: CliRenderer, depth: ColourDepth, listener: TerminalListener) {
    this.#renderer = renderer;
    this.#colours = new Colours(depth);
    const { width, height } = renderer;
    this.#surface = new FrameBufferRenderable(renderer, { id: "screen", width, height });
    renderer.root.add(this.#surface);
    renderer.keyInput.on("keypress", (event: KeyEvent) => guarded(listener, () => listener.key(keyOf(event))));
    renderer.keyInput.on("paste", ({ bytes }: PasteEvent) =>
      guarded(listener, () => listener.paste(new TextDecoder().decode(bytes))),
    );
    renderer.on("theme_mode", (mode: Background) => guarded(listener, () => listener.background(mode)));
    renderer.root.onMouse = (event) => guarded(listener, () => hear(event, listener));
    // The library itself waits 100 ms for the size to settle.
    this.#onResize = () =>
      guarded(listener, () => renderer.resize(process.stdout.columns || 80, process.stdout.rows || 24));
    process.stdout.on("resize", this.#onResize);
    // Which comes at once, or, while it still writes, when that is done.
    renderer.on("resize", (columns: number, rows: number) =>
      guarded(listener, () => this.#resized(columns, rows, listener)),
    );
  }

  static async open(depth: ColourDepth, listener: TerminalListener): Promise<Terminal> {
    const renderer = await createCliRenderer({
      exitOnCtrlC: false,
      exitSignals: [],
      useMouse: true,
      enableMouseMovement: false,
      // Without it every terminal sends the same bytes for a key.
      useKittyKeyboard: null,
      // The number of a colour is written as such only to a terminal of this name. Which colours it is for is up to us.
      ...(depth === "truecolor" ? {} : { environment: { TERM: "xterm-256color", COLORTERM: "" } }),
      consoleMode: "disabled",
      openConsoleOnError: false,
      targetFps: MOST_FRAMES_A_SECOND,
      maxFps: MOST_FRAMES_A_SECOND,
    });
    // The library's own handlers keep a crashed program running.
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.removeAllListeners(event);
      process.on(event, (error: unknown) => listener.crashed(error));
    }
    return new Terminal(renderer, depth, listener);
  }

  get width(): number {
    return this.#renderer.width;
  }

  get height(): number {
    return this.#renderer.height;
  }

  show(cells: Cells): void {
    const { frameBuffer } = this.#surface;
    if (cells.width !== frameBuffer.width || cells.height !== frameBuffer.height) return;
    frameBuffer.withBuffers(({ char, fg, bg, attributes }) => {
      this.#colours.put(cells.foregrounds, fg, "foreground");
      this.#colours.put(cells.backgrounds, bg, "background");
      attributes.set(cells.attributes);
      for (let i = 0; i < char.length; i++) char[i] = cells.isUnusual(i) ? SPACE : cells.characters[i] || SPACE;
    });
    this.#showUnusual(cells);
    this.#renderer.requestRender();
  }

  /** Wide characters and clusters are handles in the library's buffer: they must be drawn as text. */
  #showUnusual(cells: Cells): void {
    for (let i = 0; i < cells.characters.length; i++) {
      if (!cells.isUnusual(i)) continue;
      const [x, y] = [i % cells.width, Math.floor(i / cells.width)];
      const [fg, bg] = this.#colours.of(cells, i);
      this.#surface.frameBuffer.drawText(cells.character(i), x, y, fg, bg, cells.attributes[i]);
    }
  }

  #resized(columns: number, rows: number, listener: TerminalListener): void {
    this.#surface.width = columns;
    this.#surface.height = rows;
    // Else the buffer follows with the next layout only, a frame too late.
    this.#surface.frameBuffer.resize(columns, rows);
    listener.resized();
  }

  /** Gives the terminal back as it was. */
  async close(): Promise<void> {
    process.stdout.off("resize", this.#onResize);
    this.#renderer.destroy();
    // It fails where the terminal is gone, and then there is nothing to give back.
    await this.#renderer.closed.catch(() => {});
  }
}

const MOST_FRAMES_A_SECOND = 60;
const SPACE = 0x20;

/** The library swallows what a handler throws. */
function guarded(listener: TerminalListener, handle: () => void): void {
  try {
    handle();
  } catch (error) {
    listener.crashed(error);
  }
}

const NAMES: Readonly<Record<string, Key>> = { return: "enter", linefeed: "enter", kpenter: "enter", space: " " };

function keyOf({ name, sequence, ctrl, meta, shift }: KeyEvent): Key {
  if (ctrl) return `ctrl+${name}`;
  if (meta) return `alt+${name}`;
  if ([...sequence].length === 1 && sequence >= " " && sequence !== "\x7f") return sequence;
  if (name === "tab" && shift) return "shift+tab";
  return NAMES[name] ?? name;
}

const WHEEL_ROWS = 3;

function hear({ type, button, x, y, scroll }: MouseEvent, listener: TerminalListener): void {
  if (type === "scroll") {
    const sign = scroll?.direction === "up" ? -1 : scroll?.direction === "down" ? 1 : 0;
    if (sign !== 0) listener.mouse({ kind: "scroll", x, y, rows: sign * WHEEL_ROWS });
  } else if (type === "down" && button === LEFT_BUTTON) listener.mouse({ kind: "down", x, y, rows: 0 });
  else if (type === "drag") listener.mouse({ kind: "drag", x, y, rows: 0 });
  else if (type === "up" || type === "drag-end") listener.mouse({ kind: "up", x, y, rows: 0 });
}

const LEFT_BUTTON = 0;

type Ground = "foreground" | "background";

/** Colours of cells as the library has them: four 16-bit numbers, whose upper bytes may name a terminal's own colour. */
class Colours {
  readonly #depth: ColourDepth;
  readonly #known: Record<Ground, Map<number, RGBA>> = { foreground: new Map(), background: new Map() };

  constructor(depth: ColourDepth) {
    this.#depth = depth;
  }

  put(colours: Uint32Array, target: Uint16Array, ground: Ground): void {
    let last = Number.NaN;
    let buffer = this.#rgba(DEFAULT_COLOUR, ground).buffer;
    for (let i = 0; i < colours.length; i++) {
      const colour = colours[i] ?? DEFAULT_COLOUR;
      if (colour !== last) buffer = this.#rgba(colour, ground).buffer;
      last = colour;
      target.set(buffer, i * 4);
    }
  }

  of({ foregrounds, backgrounds }: Cells, index: number): [foreground: RGBA, background: RGBA] {
    return [
      this.#rgba(foregrounds[index] ?? DEFAULT_COLOUR, "foreground"),
      this.#rgba(backgrounds[index] ?? DEFAULT_COLOUR, "background"),
    ];
  }

  #rgba(colour: number, ground: Ground): RGBA {
    const known = this.#known[ground].get(colour);
    if (known !== undefined) return known;
    const made = this.#make(colour, ground);
    this.#known[ground].set(colour, made);
    return made;
  }

  #make(colour: number, ground: Ground): RGBA {
    if (colour === DEFAULT_COLOUR || this.#depth === "none") {
      return ground === "foreground" ? RGBA.defaultForeground() : RGBA.defaultBackground();
    }
    if (this.#depth === "16") return RGBA.fromIndex(nearest16(colour));
    if (this.#depth === "256") return RGBA.fromIndex(nearest256(colour));
    return RGBA.fromInts(colour >> 16, (colour >> 8) & 255, colour & 255);
  }
}
