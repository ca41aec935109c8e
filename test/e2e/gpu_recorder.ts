import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import type { StubDriver } from "../nvml_stub.ts";
import { rootWithoutCards } from "./host_root.ts";
import { PROGRAM, type Started, start, until } from "./run.ts";

/** A frame as it stands in a recording. */
export type Recorded = Frame & { readonly seq: number };

/** Whether the cards could be read in it. */
export const isRead = ({ gpus, errors }: Frame): boolean =>
  (gpus?.length ?? 0) > 0 && !errors.some((error) => error.startsWith("nvidia: "));

let count = 0;

/** A recorder on a machine with the stub's driver, and no cards but its; five frames a second. */
export class GpuRecorder {
  readonly path: string;
  readonly #started: Started;

  constructor(folder: string, driver: StubDriver, ...options: readonly string[]) {
    this.path = join(folder, `gpus_${++count}.ndjson`);
    const given = options.length > 0 ? options : ["--include", "gpu"];
    const command = [
      ...PROGRAM,
      "record",
      "-o",
      this.path,
      "-i",
      "0.2",
      "--keep-free",
      "0",
      "--hostname",
      "h",
      "--host-root",
      rootWithoutCards(folder),
      ...given,
    ];
    this.#started = start(driver.with(command));
  }

  get pid(): number {
    return this.#started.child.pid;
  }

  /** The frames that have been written so far. */
  frames(): Recorded[] {
    if (!existsSync(this.path)) return [];
    const text = readFileSync(this.path, "utf8");
    return text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => {
        const decoded = decodeLine(line);
        return decoded.kind === "frame" ? [{ ...decoded.frame, seq: decoded.frame.seq ?? -1 }] : [];
      });
  }

  /** The first frame, from the one with this number on, that is as wanted. */
  until(what: string, isSo: (frame: Recorded) => boolean, from = 0): Promise<Recorded> {
    return until(what, () => this.frames().find((frame) => frame.seq >= from && isSo(frame)) ?? null);
  }

  /** A frame in which all cards have been read. */
  untilRead(from = 0): Promise<Recorded> {
    return this.until("cards", isRead, from);
  }

  /** Ends it as people do; all of its frames. */
  async end(): Promise<Recorded[]> {
    this.#started.child.kill("SIGINT");
    const { code, err } = await this.#started.ended;
    if (code !== 0) throw new Error(`record ended with ${code}: ${err}`);
    return this.frames();
  }
}
