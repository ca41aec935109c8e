import zlib from "node:zlib";

/**
 * Decoding in steps without the thread pool: twice as fast as the public stream, and it can stop after any step. It
 * works on what is inside of `node:zlib`'s streams, the same in Bun and Node; where that is missing there is none.
 */
export interface StepDecoder {
  /** Decodes from `input` into `output`; tells how much of both was used. Throws on damage. */
  step(input: Uint8Array, output: Uint8Array): { readonly consumedBytes: number; readonly producedBytes: number };
  close(): void;
}

interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
  onerror: (message: string) => void;
}

/** What a step left: bytes of the output, then of the input. */
type WriteState = Uint32Array;

interface Inside {
  readonly _handle?: Handle;
  readonly _writeState?: WriteState;
  close(): void;
}

const isUsable = (inside: Inside): inside is Required<Inside> =>
  typeof inside._handle?.writeSync === "function" && inside._writeState instanceof Uint32Array;

/** A decoder of one zstd frame, or of one raw deflate stream; `null` where steps cannot be had. */
export function stepDecoder(codec: "zstd" | "gzip", windowLogMax: number): StepDecoder | null {
  const C = zlib.constants;
  const params = { [C.ZSTD_d_windowLogMax]: windowLogMax };
  const inside = (codec === "zstd"
    ? zlib.createZstdDecompress({ params })
    : zlib.createInflateRaw()) as unknown as Inside;
  if (!isUsable(inside)) {
    inside.close();
    return null;
  }
  return overHandle(inside, codec === "zstd" ? C.ZSTD_e_continue : C.Z_NO_FLUSH);
}

function overHandle(inside: Required<Inside>, flush: number): StepDecoder {
  const { _handle: handle, _writeState: left } = inside;
  let problem: string | null = null;
  handle.onerror = (message) => {
    problem = message;
  };
  return {
    step(input, output) {
      handle.writeSync(flush, input, 0, input.length, output, 0, output.length);
      if (problem !== null) throw new Error(problem);
      return { consumedBytes: input.length - (left[1] ?? 0), producedBytes: output.length - (left[0] ?? 0) };
    },
    close: () => inside.close(),
  };
}
