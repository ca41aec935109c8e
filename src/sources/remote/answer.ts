import type { Body } from "./body.ts";
import type { PageContext, Told } from "./dialects/dialect.ts";
import type { Sink } from "./http_client.ts";
import { Page, type Problem } from "./page.ts";
import { readSnapshot, type Wanted } from "./snapshot.ts";

/** What came of a body. */
export interface Understood {
  readonly told: Told;
  /** Of our own API: which frame it was; `null` for a page of metrics. */
  readonly moment: string | null;
}

const OPEN_BRACE = 0x7b;
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** A body as it comes in: a frame of our own API, or a page of metrics, whichever it begins like. */
export class Answer {
  /** Where it is a frame: that can only be read whole. */
  readonly #body: Body;
  #page: Page | null = null;
  #isFrame = false;
  #bytes = 0;

  constructor(body: Body) {
    this.#body = body;
    body.clear();
  }

  readonly sink: Sink = (bytes) => {
    this.#bytes += bytes.length;
    if (!this.#isFrame && this.#page === null) {
      const first = bytes.find((byte) => !isSpace(byte));
      if (first === undefined) return true;
      if (first === OPEN_BRACE) this.#isFrame = true;
      else this.#page = new Page();
    }
    if (this.#page !== null) return this.#page.feed(bytes);
    this.#body.add(bytes);
    return true;
  };

  get bytes(): number {
    return this.#bytes;
  }

  understand(context: PageContext, wanted: Wanted): Understood | Problem {
    if (this.#page !== null) {
      const told = this.#page.finish(context);
      return typeof told === "string" ? told : { told, moment: null };
    }
    return readSnapshot(this.#body.take(), wanted) ?? "not a metrics page";
  }
}
