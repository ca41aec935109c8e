import type { Body } from "./body.ts";
import type { PageContext, Told } from "./dialects/dialect.ts";
import type { Effort } from "./effort.ts";
import type { Sink } from "./http_client.ts";
import { Page, type Problem } from "./page.ts";
import { type Choice, readSnapshot } from "./snapshot.ts";

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

/** A frame can only be read whole: a machine's with a thousand processes has half of it. */
const LARGEST_FRAME = 2 << 20;
/** Bytes between two looks at what it has cost. */
const PIECE_BYTES = 16 << 10;

/** A body as it comes in: a frame of our own API, or a page of metrics, whichever it begins like. */
export class Answer {
  /** Where it is a frame: that can only be read whole. Until it is known, what has come. */
  readonly #body: Body;
  readonly #effort: Effort;
  #page: Page | null = null;
  #isFrame = false;
  #isTooLarge = false;
  #bytes = 0;

  constructor(body: Body, effort: Effort) {
    this.#body = body;
    this.#effort = effort;
    body.clear();
  }

  readonly sink: Sink = (bytes) => {
    // To keep a part of a frame costs nothing: it is read when it is whole.
    if (this.#isFrame && !this.#effort.isSpent) return this.#effort.spendShort(() => this.#feed(bytes));
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (this.#effort.isSpent || !this.#effort.spendShort(() => this.#feed(piece))) return false;
    }
    return true;
  };

  #feed(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    if (this.#page !== null) return this.#page.feed(bytes);
    this.#isTooLarge = this.#bytes > LARGEST_FRAME;
    if (this.#isTooLarge) return false;
    this.#body.add(bytes);
    return this.#isFrame || this.#decide();
  }

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

  understand(context: PageContext, wanted: Choice): Understood | Problem {
    if (this.#isTooLarge) return "too large";
    if (this.#effort.isSpent) return "too much to read";
    if (this.#page !== null) {
      const told = this.#page.finish(context);
      return typeof told === "string" ? told : { told, moment: null };
    }
    return readSnapshot(this.#body.take(), wanted) ?? "not a metrics page";
  }
}
