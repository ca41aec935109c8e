import { describe, expect, test } from "bun:test";
import { deviceOfMount, isInLocks } from "./file_lock.ts";

const LOCKS = `1: FLOCK  ADVISORY  WRITE 4711 08:02:1573 0 EOF
1: -> FLOCK  ADVISORY  WRITE 4712 08:02:1574 0 EOF
2: POSIX  ADVISORY  WRITE 815 08:02:1575 0 EOF
3: FLOCK  ADVISORY  READ 816 08:02:1576 0 EOF
4: FLOCK  ADVISORY  WRITE 817 fe:1f:144115205272502273 0 EOF
`;

describe("the list of locks", () => {
  test.each([
    ["8:2:1573", true],
    ["8:3:1573", false],
    ["8:2:573", false],
    ["8:2:1574", false],
    ["8:2:1575", false],
    ["8:2:1576", false],
    ["254:31:144115205272502273", true],
    ["254:31:144115205272502272", false],
  ])("%s: %p", (file, expected) => {
    expect(isInLocks(LOCKS, file)).toBe(expected);
  });
});

test("the device of a mount", () => {
  const mountinfo = "29 1 0:26 / / rw - btrfs /dev/sda2 rw,subvol=/root\n30 29 0:27 /x /home rw - tmpfs tmpfs rw\n";
  expect(["29", "30", "31", null].map((mount) => deviceOfMount(mountinfo, mount))).toEqual([
    "0:26",
    "0:27",
    null,
    null,
  ]);
});
