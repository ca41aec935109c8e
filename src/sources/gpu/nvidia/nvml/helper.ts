import type { NvidiaCard } from "../card.ts";
import { NvmlUnavailable, openLibrary } from "./library.ts";
import { type Answer, changesOf, type HelperMessage, type ReadRequest, startsCards } from "./messages.ts";
import { Nvml } from "./nvml.ts";
import { NvmlReader } from "./reader.ts";

/**
 * The process in which the driver's library runs: a call that hangs or crashes takes nobody with it. Speaks over IPC what
 * messages.ts says, and ends with its parent.
 */

const send = (message: HelperMessage): void => {
  process.send?.(message);
};

/** Says why there is nothing to read, and ends. */
function giveUp(error: unknown): void {
  if (!(error instanceof NvmlUnavailable)) throw error;
  send({ unavailable: error.kind, reason: error.message });
  process.disconnect?.();
}

function serve(nvml: Nvml): void {
  const reader = new NvmlReader(nvml);
  let sent: ReadonlyMap<string, NvidiaCard> = new Map();
  const answer = ({ read, careful = false, exclude = [], skip = [] }: ReadRequest): Answer => {
    nvml.configure({
      announce: (calling, card) => {
        if (careful || startsCards(calling)) send({ calling, card });
      },
      ...(exclude.length > 0 && { exclude: new Set(exclude) }),
    });
    const { cards, ...rest } = reader.read({ t_ms: Date.now(), monotonic_ms: performance.now() }, new Set(skip));
    const changes = changesOf(sent, cards);
    sent = new Map(cards.map((card) => [card.row.uuid, card]));
    return { answer: read, cards: changes, ...rest };
  };
  process.on("message", (request: ReadRequest) => {
    try {
      send(answer(request));
    } catch (error) {
      giveUp(error);
    }
  });
}

try {
  const nvml = new Nvml(openLibrary(process.env.ALL_SMI_NVML));
  nvml.initialize();
  serve(nvml);
  send({ ready: true });
} catch (error) {
  giveUp(error);
}
