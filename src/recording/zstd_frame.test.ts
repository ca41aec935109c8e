import { describe, expect, test } from "bun:test";
import zlib from "node:zlib";
import fc from "fast-check";
import { blockAt, FrameWalker, frameExtent, frameHeader, skippableBytes, ZSTD_MAGIC } from "./zstd_frame.ts";

const C = zlib.constants;
const { concat } = Buffer;

const frame = (text: Uint8Array, params: Record<number, number> = {}): Buffer =>
  zlib.zstdCompressSync(text, { params });
const noise = (length: number): Buffer => Buffer.from(crypto.getRandomValues(new Uint8Array(length)));

function skippable(content: Uint8Array, number = 0): Buffer {
  const header = Buffer.from([0x50 + number, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  header.writeUInt32LE(content.length, 4);
  return concat([header, content]);
}

/** Frames with every kind of header: with and without checksum, content size, several blocks, RLE blocks. */
const frames: readonly (readonly [string, Buffer])[] = [
  ["empty", frame(Buffer.alloc(0))],
  ["short", frame(Buffer.from("a\n"))],
  ["with a checksum", frame(Buffer.from("some text\n".repeat(99)), { [C.ZSTD_c_checksumFlag]: 1 })],
  ["without content size", frame(noise(700), { [C.ZSTD_c_contentSizeFlag]: 0 })],
  ["two bytes of content size", frame(noise(1000))],
  ["raw blocks", frame(noise(65_000).subarray(0, 60_000), { [C.ZSTD_c_checksumFlag]: 1 })],
  ["RLE blocks", frame(Buffer.alloc(400_000, 7))],
  ["skippable", skippable(noise(50))],
  ["skippable and empty", skippable(Buffer.alloc(0), 15)],
];

/** Feeds the pieces to a walker; gives how many bytes it took of each, until it is no longer open. */
function walk(pieces: readonly Uint8Array[]): { taken: number[]; state: string } {
  const walker = new FrameWalker();
  const taken: number[] = [];
  for (const piece of pieces) {
    if (walker.state !== "open") break;
    taken.push(walker.consume(piece));
  }
  return { taken, state: walker.state };
}

const cut = (bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let n = 0; at < bytes.length; at += lengths[n++ % lengths.length] ?? 1) {
    pieces.push(bytes.subarray(at, at + (lengths[n % lengths.length] ?? 1)));
  }
  return pieces;
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe.each(frames)("a frame: %s", (_, bytes) => {
  const rest = concat([frame(Buffer.from("the next one\n")), noise(30)]);

  test("its end is found, in pieces of any size, whatever follows", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.boolean(), (sizes, hasRest) => {
        const { taken, state } = walk(cut(hasRest ? concat([bytes, rest]) : bytes, sizes));
        expect([sum(taken), state]).toEqual([bytes.length, "done"]);
        expect(Math.min(...taken)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 20 },
    );
    expect(walk([concat([bytes, rest])]).taken).toEqual([bytes.length]);
  });

  test("a part of it is open, wherever it is cut off", () => {
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 500)) {
      const { taken, state } = walk([bytes.subarray(0, length)]);
      expect([length, taken, state]).toEqual([length, [length], "open"]);
    }
  });
});

describe("the extent of a whole buffer", () => {
  const plain = frames.filter(([name]) => !name.startsWith("skippable"));

  test.each(plain)("%s", (_, bytes) => {
    const extent = frameExtent(concat([bytes, noise(20)]));
    expect([extent?.length, extent?.ended]).toEqual([bytes.length, true]);
    const checksumBytes = extent?.checksum ? 4 : 0;
    expect(extent?.blockEnds.at(-1)).toBe(bytes.length - checksumBytes);
    expect(frameExtent(bytes)?.length).toBe(bytes.length);
    expect(frameExtent(bytes.subarray(0, -1))?.length ?? null).toBeNull();
  });

  test("a frame without its checksum is ended, but not whole", () => {
    const bytes = frame(Buffer.from("text\n"), { [C.ZSTD_c_checksumFlag]: 1 });
    expect(frameExtent(bytes.subarray(0, -4))).toMatchObject({ ended: true, length: null, checksum: true });
    expect(frameExtent(bytes.subarray(0, -5))).toMatchObject({ ended: false, length: null, blockEnds: [] });
  });

  test("every prefix of blocks is what the decoder makes of it", async () => {
    const stream = zlib.createZstdCompress({ params: { [C.ZSTD_c_checksumFlag]: 1 } });
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    for (let n = 0; n < 5; n++) {
      stream.write(`line ${n}\n`);
      await new Promise<void>((resolve) => stream.flush(C.ZSTD_e_flush, resolve));
    }
    stream.destroy();
    const bytes = concat(parts);
    const ends = frameExtent(bytes)?.blockEnds ?? [];
    expect(ends.length).toBe(5);
    for (const [n, end] of ends.entries()) {
      const text = zlib.zstdDecompressSync(bytes.subarray(0, end), { finishFlush: C.ZSTD_e_flush }).toString();
      expect(text.split("\n").length).toBe(n + 2);
    }
  });
});

describe("the window", () => {
  test.each([10, 17, 27])("of 2^%d bytes, where the size of the content is not known", (windowLog) => {
    const params = { [C.ZSTD_c_windowLog]: windowLog, [C.ZSTD_c_contentSizeFlag]: 0 };
    const stream = zlib.createZstdCompress({ params });
    const ended = new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve(concat(parts)));
    });
    stream.write("a line\n");
    stream.flush(C.ZSTD_e_flush, () => stream.end());
    return ended.then((bytes) => expect(frameHeader(bytes, 0)?.windowBytes).toBe(2 ** windowLog));
  });

  test("has eighths, and reaches beyond 32 bits", () => {
    const of = (descriptor: number) => frameHeader(concat([ZSTD_MAGIC, Uint8Array.of(0, descriptor)]), 0)?.windowBytes;
    expect([of(0), of(1), of(7), of(0b10001_000), of(0xff)]).toEqual([1024, 1152, 1920, 2 ** 27, 15 * 2 ** 38]);
  });

  test.each([3, 255, 256, 300, 65_791, 65_792, 400_000])(
    "is the content, of %d bytes, in a single segment",
    (length) => {
      expect(frameHeader(frame(noise(length)), 0)?.windowBytes).toBe(length);
    },
  );
});

describe("what is no frame", () => {
  test.each([
    ["text", Buffer.from('{"schema":1}\n')],
    ["zero bytes", Buffer.alloc(100)],
    ["gzip", zlib.gzipSync("text")],
    ["an almost right magic", Buffer.from([0x28, 0xb5, 0x2f, 0xfe, 0, 0, 0, 0])],
    ["an almost right skippable", Buffer.from([0x60, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])],
  ])("%s is bad, in pieces of any size, and none of it belongs to one", (_, bytes) => {
    for (const size of [1, 2, 3, 5, 100]) {
      const { taken, state } = walk(cut(bytes, [size]));
      expect([size, state]).toEqual([size, "bad"]);
      expect(Math.min(...taken)).toBeGreaterThanOrEqual(0);
      expect(sum(taken)).toBeLessThan(4);
    }
    expect(frameHeader(bytes, 0)).toBeNull();
    expect(skippableBytes(bytes, 0)).toBeNull();
    expect(frameExtent(bytes)).toBeNull();
  });

  test("any bytes behind a magic: the walk ends, and takes no more than there is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 30 }), (rest, size) => {
        const bytes = concat([ZSTD_MAGIC, rest]);
        const { taken } = walk(cut(bytes, [size]));
        for (const one of taken) expect(one).toBeGreaterThanOrEqual(0);
        expect(sum(taken)).toBeLessThanOrEqual(bytes.length);
        expect(sum(taken)).toBe(walk([bytes]).taken[0] ?? 0);
        frameExtent(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("a block header that is not all there is none", () => {
    expect(blockAt(new Uint8Array([1, 0]), 0)).toBeNull();
    expect(blockAt(new Uint8Array([9, 1, 0, 0]), 1)).toEqual({ bytes: 3, last: true });
  });
});
