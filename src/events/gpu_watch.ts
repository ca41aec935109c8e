import type { Gpu } from "../frame/schema.ts";
import { definitions } from "./definitions.ts";
import type { Links } from "./gpu_links.ts";
import { counterRules, GpuMemory, gpuRules } from "./gpu_rules.ts";
import { type Look, type Subject, subject } from "./look.ts";
import { brokenReaders } from "./readers.ts";

/** More GPUs are not kept track of; no cluster that one process watches has so many. */
const MAX_GPUS = 16_384;
/** Of a scraped host twice as many as are kept of it in a frame: names that are new in each are not remembered. */
const MAX_GPUS_OF_HOST = 512;
/** A GPU that is missing for so long, while others of its host are there, is lost. */
const MISSING_MS = 10_000;
/** Hosts that were not in a frame may be so many before they are looked through. */
const ABSENT_HOSTS = 64;

interface Known extends Subject {
  readonly memory: GpuMemory;
}

/** The GPUs of a host, by what they are called. */
interface HostGpus {
  readonly gpus: Map<string, Known>;
  seen_ms: number;
  /** Number of the last frame that it was in, and how many of its GPUs were. */
  frame: number;
  present: number;
}

const nameOf = ({ device_type, index, uuid }: Gpu, ordinal: number): string =>
  index !== null && index !== undefined ? `${device_type} ${index}` : uuid || `${device_type} #${ordinal}`;

/** Watches all GPUs. A fresh one remembers nothing. */
export class GpuWatch {
  readonly #hosts = new Map<string, HostGpus>();
  #frame = 0;
  #size = 0;

  look(look: Look): void {
    this.#frame++;
    let present = 0;
    for (const gpu of look.frame.gpus ?? []) {
      const host = this.#hostOf(gpu.host_id, look);
      if (host.present === 0) present++;
      const known = this.#know(host, gpu, look);
      if (known !== undefined) judge(gpu, known, look);
    }
    for (const [host_id, host] of this.#hosts) {
      if (host.frame === this.#frame && host.present < host.gpus.size) this.#lookForMissing(host_id, host, look);
    }
    if (this.#hosts.size > present + ABSENT_HOSTS) this.#forgetHosts(look);
  }

  /** What the GPU with that uuid is called. */
  nameOf(host_id: string, uuid: string, look: Look): string | undefined {
    const ofHost = look.frame.gpus?.filter((gpu) => gpu.host_id === host_id) ?? [];
    const ordinal = ofHost.findIndex((gpu) => gpu.uuid === uuid);
    const gpu = ofHost[ordinal];
    return gpu && nameOf(gpu, ordinal);
  }

  #hostOf(host_id: string, { now }: Look): HostGpus {
    let host = this.#hosts.get(host_id);
    if (host === undefined) {
      host = { gpus: new Map(), seen_ms: now.place_ms, frame: this.#frame, present: 0 };
      this.#hosts.set(host_id, host);
    }
    if (host.frame !== this.#frame) host.present = 0;
    host.frame = this.#frame;
    host.seen_ms = now.place_ms;
    return host;
  }

  #know(host: HostGpus, gpu: Gpu, look: Look): Known | undefined {
    const name = nameOf(gpu, host.present);
    let known = host.gpus.get(name);
    if (known === undefined) {
      if (this.#size >= MAX_GPUS) return undefined;
      const about = subject(gpu.host_id, name);
      if (host.gpus.size >= MAX_GPUS_OF_HOST && look.scraped.has(about.host)) return undefined;
      known = { ...about, memory: new GpuMemory() };
      host.gpus.set(name, known);
      this.#size++;
    }
    if (known.memory.frame !== this.#frame) host.present++;
    known.memory.frame = this.#frame;
    return known;
  }

  #lookForMissing(host_id: string, host: HostGpus, look: Look): void {
    const { place_ms, lookback_ms } = look.now;
    const isTold = brokenReaders(look.frame).concern(host_id);
    for (const [name, known] of host.gpus) {
      const missing_ms = place_ms - known.memory.seen_ms;
      if (known.memory.frame === this.#frame) continue;
      if (missing_ms > lookback_ms) {
        host.gpus.delete(name);
        this.#size--;
      } else if (missing_ms >= MISSING_MS && !isTold) {
        const words = () => `${definitions.gpu_lost.sentence}: missing, while others of this host are there`;
        look.judge("gpu_lost", known, "on", undefined, words);
      }
    }
  }

  #forgetHosts({ now }: Look): void {
    for (const [host_id, host] of this.#hosts) {
      if (now.place_ms - host.seen_ms <= now.lookback_ms) continue;
      this.#hosts.delete(host_id);
      this.#size -= host.gpus.size;
    }
  }
}

function judge(gpu: Gpu, known: Known, look: Look): void {
  const { memory } = known;
  const { now } = look;
  memory.seen_ms = now.place_ms;
  const hasOpen = look.conditions.of(known.owner) !== undefined;
  for (const { name, verdict, details } of gpuRules) {
    const said = verdict(gpu, memory, now);
    if (said === "unknown" || (said === "off" && !hasOpen)) continue;
    look.judge(name, known, said, memory.stayed_ms[name], () => worded(definitions[name].sentence, details(gpu)));
    if (said !== "off") memory.stayed_ms[name] = now.place_ms;
  }
  for (const { name, rise, isFlag = false } of counterRules) {
    const more = rise(gpu, memory, now);
    if (more !== null && more > 0)
      look.single(name, known, worded(definitions[name].sentence, isFlag ? "" : `${more}`));
  }
  if (gpu.health?.nvlink) judgeLinks(gpu.health.nvlink, known, look);
}

const worded = (sentence: string, details: string): string => (details === "" ? sentence : `${sentence}: ${details}`);

function judgeLinks(nvlink: Links, known: Known, look: Look): void {
  const { links } = known.memory;
  const open = look.conditions.of(known.owner);
  if (links.isSame(nvlink, look.now, open !== undefined)) return;
  for (const { link_index, state } of nvlink) {
    const verdict = links.verdict(link_index, state, look.now);
    const begins = verdict === "on" && look.begins("link", known, `NVLink ${link_index}`);
    if (begins) look.begin("link", known, `NVLink ${link_index}: ${state}`);
    const began = verdict === "off" ? open?.get(`link\nNVLink ${link_index}`) : undefined;
    if (began !== undefined) look.endAfterHold(began, definitions.link, undefined);
  }
}
