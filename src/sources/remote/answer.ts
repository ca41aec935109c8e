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

/** A frame is an object, whose first key has a colon behind it; a series may begin with a brace and quotes as well. */
const FRAME_BEGINS = /^\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})/;
const MAY_BE_FRAME = /^\s*(?:\{\s*(?:"(?:[^"\\]|\\.)*(?:\\|"\s*)?)?)?$/;
/** No first key of a frame is as far from its beginning. */
const MOST_UNDECIDED = 1024;

/** A body as it comes in: a frame of our own API, or a page of metrics, whichever it begins like. */
export class Answer {
  /** Where it is a frame: that can only be read whole. Until it is known, what has come. */
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
    if (this.#page !== null) return this.#page.feed(bytes);
    this.#body.add(bytes);
    return this.#isFrame || this.#decide();
  };

  #decide(): boolean {
    const start = this.#body.start(MOST_UNDECIDED);
    if (FRAME_BEGINS.test(start)) {
      this.#isFrame = true;
      return true;
    }
    if (start.length < MOST_UNDECIDED && MAY_BE_FRAME.test(start)) return true;
    this.#page = new Page();
    return this.#page.feed(this.#body.takeBytes());
  }

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
