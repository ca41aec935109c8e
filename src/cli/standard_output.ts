import { systemWords } from "../errors.ts";

/** Writes to stdout and waits until it is handed over; `false` where nobody reads any more (`| head`). */
export function writeStandardOutput(text: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const fail = (error: Error) => {
    if ((error as NodeJS.ErrnoException).code === "EPIPE") resolve(false);
    else reject(new Error(`standard output: ${systemWords(error)}`, { cause: error }));
  };
  process.stdout.on("error", fail);
  process.stdout.write(text, (error) => {
    // After an error the listener stays: the stream emits it, too, and later.
    if (error) return fail(error);
    process.stdout.off("error", fail);
    resolve(true);
  });
  return promise;
}
