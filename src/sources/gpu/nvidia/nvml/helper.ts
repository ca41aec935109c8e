import { endWithParent, writeText } from "../../../../libc.ts";
import { NvmlUnavailable, openLibrary } from "./library.ts";
import {
  type Answer,
  type Calling,
  Changes,
  type HelperMessage,
  OWN_FAULT_STATUS,
  type ReadRequest,
} from "./messages.ts";
import { type CallOptions, Nvml } from "./nvml.ts";
import { NvmlReader } from "./reader.ts";

/**
 * The process in which the driver's library runs: a call that hangs or crashes takes nobody with it. Speaks over IPC what
 * messages.ts says, and ends with its parent.
 *
 * Each module that it loads is memory for as long as a recorder runs: it does without `node:fs`, which is 0.3 MiB.
 */

const STDOUT = 1;
const STDERR = 2;

/** By then everything that is done in each reading has been done, and what only starting needed is garbage. */
const SETTLED_READINGS = 5;
/** By itself the runtime collects what a process that does little leaves behind too seldom. */
const COLLECT_EVERY_MS = 60_000;

const send = (message: HelperMessage): void => {
  process.send?.(message);
};

/** Says why there is nothing to read, for the parent to end this process; an error of its own ends it at once. */
function giveUp(error: unknown): void {
  if (error instanceof NvmlUnavailable) {
    send({ unavailable: error.kind, reason: error.message });
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  writeText(STDERR, `\n${message.replaceAll("\n", " ")}\n`);
  process.exit(OWN_FAULT_STATUS);
}

type Announce = NonNullable<CallOptions["announce"]>;

/** `null`: nothing is to be watched. */
const callOptions = ({ careful = false, exclude = [] }: ReadRequest, announce: Announce): CallOptions | null =>
  careful || exclude.length > 0 ? { ...(careful && { announce }), exclude: new Set(exclude) } : null;

function serve(nvml: Nvml): void {
  let request: ReadRequest = { read: 0 };
  const announce: Announce = (calling, card) => {
    // What the library prints may not end its line.
    writeText(STDOUT, `\n${JSON.stringify({ read: request.read, calling, card } satisfies Calling)}\n`);
  };
  const reader = new NvmlReader(nvml, (calling, card) => {
    announce(calling, card);
    nvml.configure(callOptions({ ...request, careful: true }, announce));
  });
  const changes = new Changes();
  let readings = 0;
  const answer = (asked: ReadRequest): Answer => {
    request = asked;
    nvml.configure(callOptions(request, announce));
    const moment = { t_ms: Date.now(), monotonic_ms: performance.now() };
    return { answer: request.read, ...changes.of(reader.read(moment, request.skip && new Set(request.skip))) };
  };
  process.on("message", (request: ReadRequest) => {
    try {
      send(answer(request));
      if (++readings === SETTLED_READINGS) settle();
    } catch (error) {
      giveUp(error);
    }
  });
}

/** Keeps the process as small as its work. */
function settle(): void {
  Bun.gc(true);
  setInterval(() => Bun.gc(true), COLLECT_EVERY_MS).unref();
}

endWithParent();
process.on("disconnect", () => process.exit());

const chosen = process.env.ALL_SMI_NVML;
/** A path, or a name that the loader knows, which has no slash. */
const path = chosen?.includes("/") && !chosen.startsWith("/") ? `${process.cwd()}/${chosen}` : chosen;
// What the loader does not find Bun looks for in the current folder: no code is loaded from where one happens to stand.
process.chdir("/");
try {
  const nvml = new Nvml(openLibrary(path));
  nvml.initialize();
  serve(nvml);
  send({ ready: true });
} catch (error) {
  giveUp(error);
}
