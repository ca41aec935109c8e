import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { Overtaken } from "../../src/recording/cursor.ts";
import { openReplay, type Replay } from "../../src/recording/replay.ts";
import { toAnsi } from "../../src/view/ansi.ts";
import { Cells } from "../../src/view/cells.ts";
import { INITIAL_CHOICES } from "../../src/view/choices.ts";
import { draw } from "../../src/view/draw.ts";
import type { Choices, ReplayStatus } from "../../src/view/model.ts";
import { lastingNote, type Subject, viewInput } from "../../src/view/screen.ts";
import { makeTheme } from "../../src/view/theme.ts";
import type { Chance } from "./chance.ts";
import type { Fuzzed } from "./kind.ts";
import { type Bomb, type Changed, makeBombs, mutatedBytes, mutatedLines } from "./mutations.ts";
import { addHole, encoded, type Original, originals } from "./originals.ts";
import { DANGEROUS } from "./sound.ts";

/** How far a mutated recording got: it was refused in words, or its frames were drawn. */
type Outcome = "refused" | "drawn";

const LIMITS = { heldBytes: 52 << 20 };
const MOVES = 12;
const SIZES = [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
  [20, 3],
] as const;
const THEMES = [makeTheme("truecolor", "dark"), makeTheme("none", "light"), makeTheme("16", "dark")];

/** Mutated recordings through opening, scanning, seeking, histories, events and drawing. */
export const openRecordings = async (folder: string): Promise<Fuzzed> => {
  const material = { sound: originals(), bombs: await makeBombs() };
  const path = join(folder, "rec.ndjson");
  return { runCase: (chance) => runCase(path, material, chance), most_ms: 2000, [Symbol.dispose]: () => {} };
};

/** What mutated recordings are made of. */
interface Material {
  readonly sound: readonly Original[];
  readonly bombs: readonly Bomb[];
}

/** Makes a recording that is wrong somewhere, and goes through all that a person would do with it. Throws on a mistake of ours. */
async function runCase(path: string, { sound, bombs }: Material, chance: Chance): Promise<Outcome> {
  const original = chance.pick(sound);
  const isEncodedAgain = chance.oneIn(2);
  const file = isEncodedAgain
    ? encodeChanged(mutatedLines(original, bombs, chance))
    : mutatedBytes(encoded(original), bombs, chance);
  writeFileSync(path, file);
  if (chance.oneIn(200)) addHole(path, original);
  try {
    const replay = await openReplay(path, false);
    await lookAround(replay, chance).finally(() => replay.cursor.close());
    return "drawn";
  } catch (error) {
    // An index may tell of frames where there are none: that comes out when the first one is looked for.
    if (error instanceof UsageError) return "refused";
    throw error;
  }
}

const encodeChanged = ({ original, bomb, bombBefore }: Changed): Buffer => encoded(original, bomb, bombBefore);

async function lookAround(replay: Replay, chance: Chance): Promise<void> {
  const { cursor, store } = replay;
  await cursor.first();
  drawScreen(replay, chance);
  await store.complete();
  for (let n = 0; n < MOVES; n++) {
    await move(replay, chance);
    if (chance.oneIn(2)) drawScreen(replay, chance);
    if (cursor.heldBytes > LIMITS.heldBytes) throw new Error(`${cursor.heldBytes} bytes of decoded text are held`);
  }
  await cursor.finishAnalysis();
  await cursor.last();
  drawScreen(replay, chance);
  while (!cursor.history(200).isComplete) await new Promise((resolve) => setImmediate(resolve));
  drawScreen(replay, chance);
}

async function move({ cursor }: Replay, chance: Chance): Promise<void> {
  const { range } = cursor;
  const within = (first: number, last: number) => first + (last - first) * (chance.share() * 1.2 - 0.1);
  switch (chance.below(6)) {
    case 0:
      await cursor.next();
      break;
    case 1:
      await cursor.previous();
      break;
    case 2:
      await cursor.seek(within(range.first_place_ms, range.last_place_ms));
      break;
    case 3:
      await cursor.seekWall(within(range.first_t_ms, range.last_t_ms));
      break;
    case 4:
      await cursor.seekTo(chance.below(range.frames + 2));
      break;
    default: {
      const overtaken = cursor.first().catch((error: unknown) => {
        if (!(error instanceof Overtaken)) throw error;
      });
      await Promise.all([overtaken, cursor.last()]);
    }
  }
}

function drawScreen({ cursor, header }: Replay, chance: Chance): void {
  const [width, height] = chance.pick(SIZES);
  const subject: Subject = {
    cursor,
    isLive: false,
    interval_ms: header()?.interval_ms ?? null,
    zones: { viewer: "Europe/Berlin", recorder: "Asia/Seoul" },
  };
  const status: ReplayStatus = {
    kind: "replay",
    state: "paused",
    speed: 1,
    isLoop: false,
    note: lastingNote(cursor),
    progress: cursor.progress,
  };
  const cells = new Cells(width, height);
  draw(cells, viewInput(subject, choicesFor(subject, chance), status), chance.pick(THEMES));
  checkCells(cells);
}

function choicesFor({ cursor }: Subject, chance: Chance): Choices {
  const hosts = [...(cursor.current?.frame.gpus ?? []), ...(cursor.current?.frame.cpus ?? [])].map(
    (one) => one.host_id,
  );
  return {
    ...INITIAL_CHOICES,
    host: hosts.length > 0 && chance.oneIn(2) ? chance.pick(hosts) : null,
    hostOrder: chance.pick(["default", "trouble", "utilization", "name", "given"] as const),
    gpuSort: chance.pick(["default", "utilization", "memory"] as const),
    processSort: chance.pick(["default", "cpu", "memory", "gpu_memory", "pid", "user", "time"] as const),
    onlyGpuProcesses: chance.oneIn(4),
    scroll: chance.oneIn(4) ? chance.below(1000) : 0,
    filter: chance.oneIn(8) ? chance.pick(["a", "(", "\u001b"]) : "",
    zone: chance.pick(["viewer", "recorder", "utc"] as const),
    isHelpOpen: chance.oneIn(20),
  };
}

function checkCells(cells: Cells): void {
  for (let index = 0; index < cells.characters.length; index++) {
    const character = cells.character(index);
    if (DANGEROUS.test(character)) throw new Error(`a cell holds ${JSON.stringify(character)}`);
  }
  toAnsi(cells, "truecolor");
}
