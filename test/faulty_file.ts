import { AppendFile } from "../src/recording/append_file.ts";

/**
 * A file whose appends fail when they are told to, as on a full disk: nothing of them is in the file. `fails` is asked
 * at each one.
 */
export async function faultyFile(path: string, fails: () => boolean): Promise<AppendFile> {
  const file = await AppendFile.create(path);
  const append = file.append.bind(file);
  file.append = async (bytes) => {
    if (bytes.length > 0 && fails()) throw Object.assign(new Error("disk full"), { code: "ENOSPC" });
    await append(bytes);
  };
  return file;
}
