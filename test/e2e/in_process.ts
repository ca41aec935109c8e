import type { Frame } from "../../src/frame/frame.ts";
import { codecs } from "../../src/recording/codec.ts";
import { Recorder, type RecorderOptions } from "../../src/recording/recorder.ts";

/** The machine that these frames are from. */
export const HOST = "mock-0001";

/** A frame without devices; `error` is its only content. */
export const bareFrame = (n: number, error: string): Frame => ({
  t_ms: Date.UTC(2026, 3, 18, 12) + n * 1000,
  seq: n,
  elapsed_ms: n * 1000,
  source: "local",
  hostname: HOST,
  errors: [error],
});

/** How a file of that name is compressed. */
export const codecOfName = (path: string) =>
  path.endsWith(".zst") ? codecs.zstd : path.endsWith(".gz") ? codecs.gzip : codecs.none;

/** Opens a recorder in this process, on a disk that never gets full, with files that never get too large. */
export const openRecorder = (path: string, options: Partial<RecorderOptions> = {}): Promise<Recorder> =>
  Recorder.open({
    path,
    codec: codecOfName(path),
    maxSizeBytes: 0,
    maxFiles: 10,
    keepFreeBytes: 0,
    interval_ms: 1000,
    source: "local",
    hostname: HOST,
    hosts: [HOST],
    version: "0.0.0",
    tell: () => {},
    ...options,
  });

/** Hands over frames one by one, each when the one before is written. */
export async function writeFrames(recorder: Recorder, frames: readonly Frame[], written = () => {}): Promise<void> {
  for (const frame of frames) {
    const before = recorder.status.frames;
    recorder.offer(frame);
    while (recorder.status.frames === before) await Bun.sleep(1);
    written();
  }
}

/** Records these frames and closes. */
export async function recordFrames(path: string, frames: readonly Frame[]): Promise<void> {
  const recorder = await openRecorder(path);
  await writeFrames(recorder, frames);
  await recorder.close();
}
