import { dirname } from "node:path";
import { version } from "../../package.json";
import { ownZone } from "../clock/zone.ts";
import { machineClock } from "../clock.ts";
import type { Frame } from "../frame/frame.ts";
import { codecs } from "../recording/codec.ts";
import type { Header } from "../recording/lines.ts";
import { type Output, resolveOutput } from "../recording/name.ts";
import { Recorder, type RecorderOptions } from "../recording/recorder.ts";
import { RecordingStream } from "../recording/stream.ts";
import { Sampler } from "../sampler.ts";
import { makeFolders, removeFolders } from "./folders.ts";
import { hostsDown } from "./hosts_down.ts";
import type { RecordOptions } from "./record.ts";
import { RecordProgress } from "./record_progress.ts";
import { say } from "./say.ts";
import { stopSignal } from "./signals.ts";
import { openSources, type Sources } from "./sources.ts";
import { writeStandardOutput } from "./standard_output.ts";
import { formatCount } from "./units.ts";

const samplerOf = (options: RecordOptions, { sources, kind, hostname, nameNow }: Sources): Sampler =>
  new Sampler({
    sources,
    include: options.include,
    hostname,
    ...(nameNow && { nameNow }),
    source: kind,
    interval_ms: options.interval,
    duration_ms: options.duration,
    clock: machineClock,
  });

/** `record -o PATH`: until the duration is over or a signal comes. Throws a UsageError for a path that will not do. */
export async function recordToFile(options: RecordOptions, given: string): Promise<void> {
  const { path, codec } = resolveOutput(given, options.compress);
  const opened = await openSources(options);
  let progress: RecordProgress | null = null;
  const tell = (message: string) => (progress ? progress.say(message) : say(message));
  let recorder: Recorder | null = null;
  const stop = stopSignal(() => recorder?.rotate());
  const folders = options.output === undefined ? makeFolders(dirname(path)) : [];
  const begun = await Recorder.open(recorderOptions(options, { path, codec }, opened, tell)).catch((error) => {
    removeFolders(folders);
    throw error;
  });
  recorder = begun;
  if (opened.warning !== null && !options.quiet) tell(opened.warning);
  if (!options.quiet) sayWhereItGoes(options, { given, path, earlierFrames: begun.earlierFrames }, tell);
  const isLive = process.stderr.isTTY === true && !options.quiet;
  progress = new RecordProgress(() => begun.status, options.duration, isLive);
  const shown = progress;
  try {
    await sample(options, opened, stop, (frame) => {
      if (frame.seq === 0) sayWhoIsDown(frame, tell);
      shown.note(frame);
      begun.offer(frame);
    });
  } finally {
    await begun.close();
    progress.stop();
  }
  const { frames, missing } = begun.status;
  if (frames === 0) removeFolders(folders);
  if (!options.quiet) say(progress.summary(path));
  if (frames === 0 && missing > 0) process.exitCode = 1;
}

const recorderOptions = (
  { maxSize, maxFiles, keepFree, interval }: RecordOptions,
  { path, codec }: Output,
  { kind, hostname, hosts, machine }: Sources,
  tell: (message: string) => void,
): RecorderOptions => ({
  ...{ path, codec: codecs[codec], maxSizeBytes: maxSize, maxFiles, keepFreeBytes: keepFree ?? null },
  ...{ interval_ms: interval, source: kind, hostname, hosts, machine, version, tell },
});

interface Destination {
  readonly given: string;
  readonly path: string;
  readonly earlierFrames: number;
}

function sayWhereItGoes(
  { output }: RecordOptions,
  { given, path, earlierFrames }: Destination,
  tell: (message: string) => void,
): void {
  if (earlierFrames > 0) tell(`continues ${path}, ${formatCount(earlierFrames, "frame")} so far`);
  else if (path !== given && output !== undefined) tell(`writing to ${path}`);
}

/** `record -o -`: plain lines to standard output, as long as somebody reads. */
export async function recordToStandardOutput(options: RecordOptions): Promise<void> {
  const opened = await openSources(options);
  if (opened.warning !== null && !options.quiet) say(opened.warning);
  const unread = new AbortController();
  const stream = new RecordingStream(headerOf(options, opened), writeStandardOutput);
  const leave = () => unread.abort();
  stream.ended.then(leave, leave);
  const told = stopSignal(() => {});
  const stop = AbortSignal.any([told, unread.signal]);
  await sample(options, opened, stop, (frame) => {
    if (frame.seq === 0) sayWhoIsDown(frame, say);
    stream.offer(frame);
  });
  const isRead = await Promise.race([stream.close().then(() => true), patience(told)]);
  if (!isRead) throw new Error("standard output is not read: the last frames are lost");
}

/** Whoever tells us to stop does not want to wait for a reader that stands still. */
const PATIENCE_MS = 2000;

/** Resolves to `false` so long after the signal. */
const patience = (told: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    const over = () => setTimeout(resolve, PATIENCE_MS, false);
    if (told.aborted) over();
    else told.addEventListener("abort", over);
  });

/** A wrong token, for instance: nobody wants to find that out from the recording. */
function sayWhoIsDown({ scrapes = [] }: Frame, tell: (message: string) => void): void {
  const down = hostsDown(scrapes);
  if (down !== null) tell(down);
}

const headerOf = ({ interval }: RecordOptions, { kind, hosts, machine }: Sources): Header => ({
  t_ms: Date.now(),
  interval_ms: interval,
  source: kind,
  hosts,
  all_smi_version: version,
  recording: Bun.randomUUIDv7(),
  segment: 1,
  ...(machine !== null && { machine }),
  first_seq: 0,
  timezone: ownZone(),
});

/**
 * By itself the runtime collects everything too seldom for a program that does little: within minutes 10 MiB of garbage
 * have got old. This takes 10 ms. Once a minute would leave 2 MiB more at the default interval, 5 MiB at ten frames a
 * second. Of a hundred hosts it is 20 MB in a cycle: collected every fourth one they are never more than 100 MB, and never
 * the most of the work.
 */
const COLLECT_EVERY_MS = 20_000;
const MANY_HOSTS = 8;
const COLLECT_EVERY_CYCLES = 4;
const COLLECT_MANY_EVERY_MS = 60_000;
const collectEvery_ms = ({ interval }: RecordOptions, { hosts }: Sources): number =>
  hosts.length < MANY_HOSTS ? COLLECT_EVERY_MS : Math.min(COLLECT_MANY_EVERY_MS, interval * COLLECT_EVERY_CYCLES);

async function sample(
  options: RecordOptions,
  opened: Sources,
  stop: AbortSignal,
  take: (frame: Frame) => void,
): Promise<void> {
  const sampler = samplerOf(options, opened);
  const collecting = setInterval(() => Bun.gc(true), collectEvery_ms(options, opened));
  try {
    await sampler.run(stop, take);
  } finally {
    clearInterval(collecting);
    sampler.close();
  }
}
