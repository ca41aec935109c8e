/** The files that tzfile(5) and RFC 9636 describe. */

const HEADER_BYTES = 44;
const MAGIC = "TZif";

export const isTzif = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && Buffer.from(bytes.subarray(0, 4)).toString("latin1") === MAGIC;

/** What holds for all time after a file's table: its last line, as POSIX writes it. `null`: it has none, or is cut off. */
export function footerOf(bytes: Uint8Array): string | null {
  const file = Buffer.from(bytes);
  if (!isTzif(file) || file[4] === 0) return null;
  const second = HEADER_BYTES + bodyBytes(file, 0, 4);
  if (second + HEADER_BYTES > file.length || !isTzif(file.subarray(second))) return null;
  const footer = file.subarray(second + HEADER_BYTES + bodyBytes(file, second, 8)).toString("latin1");
  return /^\n([^\n]*)\n/.exec(footer)?.[1] || null;
}

/** Bytes behind a header, whose times have so many. */
function bodyBytes(file: Buffer, header: number, timeBytes: number): number {
  const [isutc = 0, isstd = 0, leaps = 0, times = 0, types = 0, characters = 0] = [20, 24, 28, 32, 36, 40].map((at) =>
    file.readUInt32BE(header + at),
  );
  return times * (timeBytes + 1) + types * 6 + characters + leaps * (timeBytes + 4) + isstd + isutc;
}
