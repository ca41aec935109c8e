import { Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.ts";
import { addHostOptions, type HostOptions } from "./host_options.ts";
import { addSourceOptions, type SourceOptions } from "./options.ts";
import { interval_ms } from "./values.ts";

export type Colour = "auto" | "always" | "never";

export interface ScreenOptions {
  once?: boolean;
  size?: Size;
  color: Colour;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface LiveOptions extends ScreenOptions, SourceOptions, HostOptions {
  interval: number;
}

export interface ReplayOptions extends ScreenOptions {
  replay: string;
  speed: number;
  start?: string;
  loop?: boolean;
  paused?: boolean;
}

type ViewOptions = LiveOptions & Partial<ReplayOptions>;

const REPLAY_ONLY = ["speed", "start", "loop", "paused"] as const;
const LIVE_ONLY = [
  ...["interval", "source", "include", "processes", "command", "hostRoot", "hostname", "mock", "seed"],
  ...["hosts", "hostfile", "exclude", "tokenFile", "tlsCa"],
] as const;

const HELP = `
Examples:
  all-smi                                  this machine, live
  all-smi view --replay trace.ndjson.zst   a recording: space plays, g goes to a
                                           time, n to the next event
  all-smi view --replay trace.ndjson.zst --start @14:31 --paused
  all-smi view --replay trace.ndjson.zst --start -5m --once > screen.txt

A timecode, for --start and for g in the view:
  00:30  01:10:00  90   from the beginning: minutes, hours, seconds
  @14:31:58  @14:31     by the clock, on the day of the first frame
  "@2026-04-18 14:31"   by the clock, on any day; an ISO time as well
  -5m                   before the end
  50%                   that far in

All keys are listed by ? in the view. A recording is opened by its path, one of
its segments, or its folder; one that is still being written is followed. With
--replay no device is read.

Exit status: 0; 1: something failed; 2: an option or the recording is wrong.`;

const LOCAL_HELP = `
Examples:
  all-smi local                            this machine, every second
  all-smi local --once --size 160x45       one screen, as text

Exit status: 0; 1: something failed; 2: an option is wrong.`;

const SLOWEST = 0.25;
const FASTEST = 64;

/** `all-smi view`: this machine live, or a recording, on the terminal. */
export function viewCommand(): Command {
  const command = new Command("view")
    .description("Shows this machine live, or plays a recording.")
    .optionsGroup("Replay:")
    .addOption(new Option("--replay <path>", "plays this recording"))
    .addOption(
      new Option("--speed <factor>", `times as fast as it was, ${SLOWEST} to ${FASTEST}`)
        .argParser(speed)
        .default(1, "1.0"),
    )
    .addOption(new Option("--start <timecode>", "where it begins, see below"))
    .addOption(new Option("--loop", "at the end begins again, for ever"))
    .addOption(new Option("--paused", "begins paused"));
  return addLiveOptions(command)
    .addHelpText("after", HELP)
    .action((_: unknown, given: Command) => view(given));
}

/** `all-smi local`: this machine live; kept for those who know it from the tool of that name. */
export function localCommand(): Command {
  return addLiveOptions(new Command("local").description("Shows this machine live; the same as view."))
    .addHelpText("after", LOCAL_HELP)
    .action(async (options: LiveOptions) => await (await import("./view_live.ts")).viewLive(options));
}

function addLiveOptions(command: Command): Command {
  command
    .optionsGroup("Screen:")
    .option("--once", "prints one screen as text and leaves")
    .addOption(
      new Option("--size <columns x rows>", "with --once: its size (default: the terminal's, else 120x40)").argParser(
        size,
      ),
    )
    .addOption(
      new Option("--color <when>", "auto: where the terminal has colours and NO_COLOR is not set")
        .choices(["auto", "always", "never"])
        .default("auto"),
    )
    .optionsGroup("Live:")
    .addOption(
      new Option("-i, --interval <seconds>", "between readings, with fractions; 0.1 at least")
        .argParser(interval_ms)
        .default(1000, "1"),
    );
  addSourceOptions(command, "gpu,cpu,memory,chassis,process,storage");
  return addHostOptions(command.optionsGroup("Other machines:"));
}

async function view(command: Command): Promise<void> {
  const options = command.opts<ViewOptions>();
  const isReplay = options.replay !== undefined;
  for (const name of isReplay ? LIVE_ONLY : REPLAY_ONLY) {
    if (command.getOptionValueSource(name) === "cli") refuse(command, name, isReplay);
  }
  if (options.size !== undefined && !options.once) throw new UsageError("--size is for --once");
  // Devices are read by what is imported here, and only here.
  if (!isReplay) await (await import("./view_live.ts")).viewLive(options);
  else await (await import("./view_replay.ts")).viewReplay(options as ReplayOptions);
}

function refuse(command: Command, name: string, isReplay: boolean): never {
  const flag = command.options.find((option) => option.attributeName() === name)?.long ?? name;
  throw new UsageError(isReplay ? `${flag} is for live views: not with --replay` : `${flag} goes with --replay`);
}

function speed(text: string): number {
  const factor = /^\d*\.?\d+x?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(factor >= SLOWEST && factor <= FASTEST)) throw new InvalidArgumentError(`Give ${SLOWEST} to ${FASTEST}.`);
  return factor;
}

const LARGEST_SIDE = 1000;

function size(text: string): Size {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  const [columns, rows] = [Number(width), Number(height)];
  const isFit = (side: number) => side >= 1 && side <= LARGEST_SIDE;
  if (!isFit(columns) || !isFit(rows)) throw new InvalidArgumentError("Give columns and rows, such as 160x45.");
  return { width: columns, height: rows };
}
