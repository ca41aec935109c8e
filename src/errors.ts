/** Bad usage or bad input: one line on stderr, exit code 2. Everything else that fails at run time is 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A recording of another schema. Other programs know these words: they are said as they stand, with nothing before. */
export class SchemaError extends UsageError {
  constructor(schema: number) {
    super(`replay: unsupported schema version ${schema}, this all-smi supports schema 1`);
  }
}

/** The text of whatever was thrown, as one line. */
export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/\s+/g, (space) => (space.includes("\n") ? " " : space))
    .trim();

/** `ENOENT` and the like; `null` where it is no error of the system's. */
export const errorCode = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "this machine has no such address",
  EAFNOSUPPORT: "this machine has no such kind of address",
  EAGAIN: "is busy: try again",
  EBADF: "the file was closed",
  EBUSY: "is in use",
  ECONNABORTED: "connection closed",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed",
  EDEADLK: "is locked",
  EDQUOT: "disk quota exceeded",
  EEXIST: "is there already",
  EFBIG: "file size limit reached",
  EHOSTUNREACH: "host unreachable",
  EILSEQ: "the name is not of a form that this file system takes",
  EINTR: "was interrupted",
  EINVAL: "this file does not take that",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "is a symbolic link",
  EMFILE: "too many open files in this process",
  EMLINK: "too many links",
  ENAMETOOLONG: "name too long",
  ENETUNREACH: "network unreachable",
  ENFILE: "too many open files on this machine",
  ENODATA: "no data there",
  ENODEV: "no such device",
  ENOENT: "no such file or directory",
  ENOLCK: "no locks left, or none on this file system",
  ENOMEM: "out of memory",
  ENOSPC: "disk full",
  ENOSYS: "this system cannot do that",
  ENOTCONN: "not connected",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENOTSUP: "this file system cannot do that",
  ENXIO: "no such device, or nobody at the other end",
  EOPNOTSUPP: "this file system cannot do that",
  EOVERFLOW: "value too large",
  EPERM: "operation not permitted",
  EPIPE: "nobody reads it any more",
  EROFS: "read-only file system",
  ESPIPE: "is a pipe, and has no places",
  ESRCH: "no such process",
  ESTALE: "the file is gone from its server",
  ETIMEDOUT: "no answer in time",
  ETXTBSY: "is a program that runs",
  EXDEV: "is on another file system",
};

/** What the system says is wrong, in words. */
export const systemWords = (error: unknown): string => SYSTEM_WORDS[errorCode(error) ?? ""] ?? oneLine(error);
