/** Writes to stdout and waits until it is handed over; `false` where nobody reads any more (`| head`). */
export function writeStandardOutput(text: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const done = (error: Error | null | undefined) => {
    process.stdout.off("error", done);
    if (!error) resolve(true);
    else if ((error as NodeJS.ErrnoException).code === "EPIPE") resolve(false);
    else reject(error);
  };
  process.stdout.on("error", done);
  process.stdout.write(text, done);
  return promise;
}
