import { expect, test } from "bun:test";
import zlib from "node:zlib";
import fc from "fast-check";
import { type Flusher, StepFlusher, StreamFlusher } from "./flusher.ts";
import { zlibSteps } from "./zlib_steps.ts";

const C = zlib.constants;
const stream = () => zlib.createZstdCompress({ params: { [C.ZSTD_c_checksumFlag]: 1 } });

function stepFlusher(): StepFlusher {
  const steps = zlibSteps(stream());
  if (steps === null) throw new Error("this runtime has no steps: the stream is used everywhere");
  return new StepFlusher(steps);
}

/** A text that repeats a little, or not at all, from none to some blocks of zstd's (128 KiB). */
const aText = fc
  .record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }), times: fc.nat(6000), isNoise: fc.boolean() })
  .map(({ bytes, times, isNoise }) =>
    isNoise
      ? Buffer.from(Array.from({ length: times }, (_, n) => (Math.imul(n + (bytes[0] ?? 0), 2654435761) >>> 13) & 255))
      : Buffer.concat(Array.from({ length: times }, () => bytes)),
  );

const isEnd = (n: number): boolean => n % 3 === 2;

async function through(flusher: Flusher, texts: readonly Uint8Array[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const [n, text] of texts.entries()) {
    parts.push(await flusher.flush(text, C.ZSTD_e_flush));
    if (isEnd(n)) parts.push(await flusher.flush(null, C.ZSTD_e_end));
  }
  parts.push(await flusher.flush(null, C.ZSTD_e_end));
  flusher.close();
  return Buffer.concat(parts);
}

test("steps and the stream give frames of the same text, one after the other in one context", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aText, { minLength: 1, maxLength: 7 }), async (texts) => {
      const [steps, streamed] = [
        await through(stepFlusher(), texts),
        await through(new StreamFlusher(stream()), texts),
      ];
      const all = Buffer.concat(texts);
      expect(zlib.zstdDecompressSync(steps).equals(all)).toBe(true);
      expect(steps.equals(streamed)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("each flush by steps can be decoded up to there", async () => {
  const flusher = stepFlusher();
  const parts: Uint8Array[] = [];
  for (const text of ["one\n", "two\n", "three\n"]) {
    parts.push(await flusher.flush(Buffer.from(text), C.ZSTD_e_flush));
    const sofar = zlib.zstdDecompressSync(Buffer.concat(parts), { finishFlush: C.ZSTD_e_flush });
    expect(sofar.toString().endsWith(text)).toBe(true);
  }
  flusher.close();
});

test("a stream without its insides has no steps", () => {
  let closed = 0;
  expect(zlibSteps({ close: () => closed++ })).toBe(null);
  expect(closed).toBe(1);
});
