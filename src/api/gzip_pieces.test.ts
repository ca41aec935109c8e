import { expect, setDefaultTimeout, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { Body } from "./body.ts";
import { GzipPieces } from "./gzip_pieces.ts";

setDefaultTimeout(60_000);

test("any bodies, some of them on several streams, make streams that gunzip takes", () => {
  const texts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constant("a".repeat(40_000))), { maxLength: 8 });
  fc.assert(
    fc.property(texts, fc.nat(8), (all, from) => {
      const bodies = all.map((text) => new Body(text));
      for (const some of [bodies, bodies.slice(from), [...bodies, ...bodies]]) {
        const stream = new GzipPieces();
        const bytes = Buffer.concat([...some.map((body) => stream.add(body)), stream.end()]);
        expect(gunzipSync(bytes).equals(Buffer.concat(some.map((body) => body.bytes("identity"))))).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test("a body is compressed once", () => {
  const body = new Body("a".repeat(1000));
  const [one, other] = [new GzipPieces(), new GzipPieces()];
  for (const stream of [one, other]) stream.add(new Body("first"));
  expect(one.add(body)).toBe(other.add(body));
  expect(body.piece.length).toBeLessThan(50);
});
