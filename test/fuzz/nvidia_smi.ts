import { CardRows } from "../../src/sources/gpu/nvidia/rows.ts";
import { lostReason } from "../../src/sources/gpu/nvidia/smi/cells.ts";
import { type LostCard, lostCardIn, refusedIn, sentenceOf } from "../../src/sources/gpu/nvidia/smi/complaint.ts";
import { type Fields, GPU_FIELDS, PROCESS_FIELDS } from "../../src/sources/gpu/nvidia/smi/fields.ts";
import { KnownCards, processesOf } from "../../src/sources/gpu/nvidia/smi/known.ts";
import { parseList } from "../../src/sources/gpu/nvidia/smi/list.ts";
import { parseLog } from "../../src/sources/gpu/nvidia/smi/log.ts";
import { parseHelp, Query } from "../../src/sources/gpu/nvidia/smi/query.ts";
import type { GpuRow } from "../../src/sources/gpu/nvidia/smi/session.ts";
import { cycleAt, HOST } from "../fixtures/machines/cycle.ts";
import { type Capture, captured, capturedNames, capturedRows } from "../nvidia_smi_capture.ts";
import type { Chance } from "./chance.ts";
import type { Fuzzed } from "./kind.ts";
import { checkReading } from "./sound.ts";
import { mutatedText } from "./text_mutations.ts";

const MOST_BYTES = 1 << 20;
const CAPTURES: readonly Capture[] = ["h100", "h100-mig", "rtx-4080-super"];

/** What nvidia-smi prints, by the command that prints it. */
interface Texts {
  readonly help: Buffer;
  readonly gpus: Buffer;
  readonly processes: Buffer;
  readonly log: Buffer;
  readonly list: Buffer;
}

/** What nvidia-smi prints: help, rows, log and list of a capture, of which one or more are wrong. */
export const openNvidiaSmi = async (): Promise<Fuzzed> => {
  const captures = CAPTURES.map(textsOf);
  return {
    runCase: async (chance) => understand(mutated(chance.pick(captures), chance)),
    most_ms: 2000,
    [Symbol.dispose]: () => {},
  };
};

function textsOf(capture: Capture): Texts {
  const help = Buffer.from([...namesOf(capture, "gpu"), ...namesOf(capture, "compute-apps")].map(helpOf).join("\n"));
  const rows = <F extends Fields>(query: "gpu" | "compute-apps", fields: F): Buffer => {
    const names = new Query(fields, parseHelp(help.toString())).names.split(",");
    const captured = capturedRows(capture, "load", query);
    return Buffer.from(
      [names.join(", "), ...captured.map((row) => names.map((name) => row.get(name) ?? "").join(", ")), COMPLAINT].join(
        "\n",
      ),
    );
  };
  return {
    help,
    gpus: rows("gpu", GPU_FIELDS),
    processes: rows("compute-apps", PROCESS_FIELDS),
    log: Buffer.from(captured(capture, "load", "-q")),
    list: Buffer.from(captured(capture, "capabilities", "-L")),
  };
}

const namesOf = (capture: Capture, query: "gpu" | "compute-apps"): string[] => capturedNames(capture, "load", query);
const helpOf = (name: string): string => `"${name}"\nWhat it is.\n`;

const COMPLAINT = "Unable to determine the device handle for GPU0000:81:00.0: GPU is lost.  Reboot the system.";

function mutated(texts: Texts, chance: Chance): Texts {
  const change = (text: Buffer, times: number): Buffer =>
    chance.oneIn(times) ? mutatedText([text], MOST_BYTES, chance) : text;
  return {
    help: change(texts.help, 8),
    gpus: change(texts.gpus, 2),
    processes: change(texts.processes, 3),
    log: change(texts.log, 2),
    list: change(texts.list, 3),
  };
}

function understand({ help, gpus, processes, log, list }: Texts): string {
  const known = parseHelp(help.toString());
  const gpuQuery = new Query(GPU_FIELDS, known);
  const words: string[] = [];
  const rows = gpus
    .toString()
    .split("\n")
    .flatMap((line): GpuRow[] => {
      const cells = gpuQuery.cells(line);
      if (cells === null) words.push(line);
      return cells === null ? [] : [{ values: gpuQuery.values(cells), lost: lostReason(cells) }];
    });
  const unopened = words.map(lostCardIn).filter((card): card is LostCard => card !== null);
  const beside = { log: parseLog(log.toString()), instances: parseList(list.toString()) };
  const cards = new CardRows(HOST, () => []);
  cards.update(new KnownCards().cardsOf(rows, unopened, beside), cycleAt(0));
  const errors = [sentenceOf(words, "ended"), ...words.flatMap(refusedIn)];
  checkReading({ gpus: cards.rows(cycleAt(0), true), errors });
  const processQuery = new Query(PROCESS_FIELDS, known);
  const cells = processes
    .toString()
    .split("\n")
    .flatMap((line) => processQuery.cells(line) ?? []);
  processesOf([processQuery.values(cells)]);
  return rows.length > 0 ? "understood" : "no row";
}
