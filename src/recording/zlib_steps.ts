/**
 * Steps through what is inside of `node:zlib`'s streams, the same in Bun and Node, without the thread pool. Where that is
 * missing there are none, and the public stream has to do.
 */
export interface ZlibSteps {
  /** One step from `input` into `output`; tells how much of both was used. Throws on damage. */
  step(input: Uint8Array, output: Uint8Array, flush: number): Step;
  close(): void;
}

export interface Step {
  readonly consumedBytes: number;
  readonly producedBytes: number;
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

/** Takes a stream that nothing was written to; it is of no other use then. `null` where steps cannot be had. */
export function zlibSteps(stream: { close(): void }): ZlibSteps | null {
  const inside = stream as Inside;
  if (!isUsable(inside)) {
    inside.close();
    return null;
  }
  const { _handle: handle, _writeState: left } = inside;
  let problem: string | null = null;
  handle.onerror = (message) => {
    problem = message;
  };
  return {
    step(input, output, flush) {
      handle.writeSync(flush, input, 0, input.length, output, 0, output.length);
      if (problem !== null) throw new Error(problem);
      return { consumedBytes: input.length - (left[1] ?? 0), producedBytes: output.length - (left[0] ?? 0) };
    },
    close: () => inside.close(),
  };
}
