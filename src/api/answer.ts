import type { Context } from "hono";
import { chooseEncoding } from "./accept.ts";
import type { Body } from "./body.ts";

/** What the server lets one do with the connection of a request. */
export interface Connection {
  /** Seconds without a byte, after which the connection is closed; 0: never. */
  setIdleTimeout(seconds: number): void;
  /** It came to a loopback address: see `host_check.ts`. */
  readonly isOfLoopback: boolean;
}

export interface Environment {
  /** No connection where a request came through none. */
  Bindings: { readonly connection?: Connection };
}

export type Ask = Context<Environment>;

/** Answers are of one cycle: who keeps them has old ones. */
export const UNSTORED = { "Cache-Control": "no-store" } as const;

export const refuse = (
  c: Ask,
  status: 400 | 401 | 403 | 404 | 405 | 500 | 503,
  error: string,
  headers = {},
): Response => c.json({ schema: 1, error }, status, { ...UNSTORED, ...headers });

/** A body in the encoding that the client likes best. */
export function answer(c: Ask, body: Body, type: string): Response {
  const encoding = chooseEncoding(c.req.header("accept-encoding"));
  const bytes = body.bytes(encoding);
  const headers: Record<string, string> = {
    ...UNSTORED,
    "Content-Type": type,
    "Content-Length": String(bytes.length),
    Vary: "Accept, Accept-Encoding",
  };
  if (encoding !== "identity") headers["Content-Encoding"] = encoding;
  return c.body(bytes, 200, headers);
}
