import type { Tree } from "./files.ts";

/** A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `major:minor`: the same for all mounts of one file system. */
  readonly deviceNumber: string;
  /** Which folder of the file system is mounted; `/` unless it is a bind mount or a subvolume. */
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
  /** `/dev/sda1`, a pool's data set, `overlay`, … */
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Below another root the mounts are those of its first process; ours would be the container's. */
export const mountinfoFile = (tree: Tree): string => `/proc/${tree.root === "" ? "self" : "1"}/mountinfo`;

export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap(parseLine);
}

function parseLine(line: string): Mount[] {
  const [place = "", kind] = line.split(" - ", 2);
  const [, , deviceNumber, root, mountPoint] = place.split(" ");
  const [type, source = "", superOptions = ""] = kind?.split(" ") ?? [];
  if (!deviceNumber || !root || !mountPoint || !type) return [];
  return [
    {
      deviceNumber,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      type,
      source: unescapeOctal(source),
      superOptions: superOptions.split(","),
    },
  ];
}

/** The kernel writes space, tab, newline and backslash as `\040`, … */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
