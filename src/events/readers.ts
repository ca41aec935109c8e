import type { Frame } from "../frame/frame.ts";
import { definitions } from "./definitions.ts";
import { eventText, subjectOf } from "./event_text.ts";
import { type Look, subject } from "./look.ts";

/** More errors of one frame are not told apart. */
const MAX_ERRORS = 256;
/** Who writes errors that are not about reading a device. */
const OWN = ["clock", "sampler", "recording"];
const CLOCK = "clock: ";

/** `dgx-02` of `cpu@dgx-02`; `null` where there is one host. */
function hostOf(reader: string): string | null {
  const at = reader.indexOf("@");
  return at < 0 ? null : reader.slice(at + 1);
}

interface BrokenReaders {
  /** Whether a reader of that host failed: what is missing of it may be there. */
  concern(host_id: string): boolean;
}

export function brokenReaders({ errors, scrapes }: Frame): BrokenReaders {
  const readers = errors.map(subjectOf).filter((reader) => !OWN.includes(reader));
  const hosts = new Set(readers.map(hostOf));
  const names = new Map(scrapes?.map(({ host, hostname }) => [host, hostname]));
  return {
    concern: (host_id) => hosts.has(null) || hosts.has(host_id) || hosts.has(names.get(host_id) ?? host_id),
  };
}

/** Watches what readers could not read: whatever the words, a reader of a host fails once until it is well again. */
export class ReaderWatch {
  readonly #failed_ms = new Map<string, number>();

  look(look: Look): void {
    const failing = new Set<string>();
    for (const error of look.frame.errors.slice(0, MAX_ERRORS)) {
      const text = eventText(error);
      if (text.startsWith(CLOCK)) {
        look.single("clock", subject(look.frame.hostname, null), text.slice(CLOCK.length));
        continue;
      }
      const reader = subjectOf(text);
      failing.add(reader);
      if (look.conditions.has("error", "", reader)) {
        look.begins("error", { owner: "", host: "" }, reader);
        continue;
      }
      const about = this.#about(reader, look);
      if (look.begins("error", { owner: "", host: about.host }, reader)) look.begin("error", about, text);
    }
    this.#endOthers(failing, look);
    this.#remember(failing, look);
  }

  /** The host as the frame's devices have it, where the error only has its name. */
  #about(reader: string, { frame }: Look) {
    const named = hostOf(reader) ?? frame.hostname;
    const scrape = frame.scrapes?.find(({ host, hostname }) => host === named || hostname === named);
    return subject(scrape?.host ?? named, null);
  }

  #endOthers(failing: ReadonlySet<string>, look: Look): void {
    const open = look.conditions.of("");
    if (open === undefined) return;
    const silent = silentHosts(look.frame);
    // In an order that does not depend on when they began.
    const readers = [...open.values()].map((event) => [subjectOf(event.text), event] as const);
    for (const [reader, event] of readers.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (failing.has(reader) || silent.has(hostOf(reader) ?? "")) continue;
      look.endAfterHold(event, definitions.error, this.#failed_ms.get(reader));
    }
  }

  #remember(failing: ReadonlySet<string>, { now }: Look): void {
    for (const reader of failing) this.#failed_ms.set(reader, now.place_ms);
    if (this.#failed_ms.size <= MAX_ERRORS) return;
    for (const [reader, failed_ms] of this.#failed_ms) {
      if (now.place_ms - failed_ms > now.lookback_ms) this.#failed_ms.delete(reader);
    }
  }
}

/** Hosts that did not answer: their readers are neither well nor failing. */
function silentHosts({ scrapes }: Frame): ReadonlySet<string> {
  const down = scrapes?.filter(({ up }) => !up) ?? [];
  return new Set(down.flatMap(({ host, hostname }) => [host, hostname]));
}
