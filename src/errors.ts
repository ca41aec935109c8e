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
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, " ").trim();

/** `ENOENT` and the like; `null` where it is no error of the system's. */
export const errorCode = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "disk quota exceeded",
  EFBIG: "file size limit reached",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "is a symbolic link",
  ENAMETOOLONG: "name too long",
  ENOENT: "no such file or directory",
  ENOSPC: "disk full",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

/** What the system says is wrong, in words. */
export const systemWords = (error: unknown): string => SYSTEM_WORDS[errorCode(error) ?? ""] ?? oneLine(error);
