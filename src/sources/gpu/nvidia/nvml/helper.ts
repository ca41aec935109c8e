import { NvmlUnavailable, openLibrary } from "./library.ts";
import { type Answer, Changes, type HelperMessage, type ReadRequest } from "./messages.ts";
import { type CallOptions, Nvml } from "./nvml.ts";
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

const announce = (calling: string, card: string | null): void => send({ calling, card });

/** `null`: nothing is to be watched. */
const callOptions = ({ careful = false, exclude = [] }: ReadRequest): CallOptions | null =>
  careful || exclude.length > 0 ? { ...(careful && { announce }), exclude: new Set(exclude) } : null;

function serve(nvml: Nvml): void {
  const reader = new NvmlReader(nvml, announce);
  const changes = new Changes();
  const answer = (request: ReadRequest): Answer => {
    nvml.configure(callOptions(request));
    const moment = { t_ms: Date.now(), monotonic_ms: performance.now() };
    return { answer: request.read, ...changes.of(reader.read(moment, new Set(request.skip))) };
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
