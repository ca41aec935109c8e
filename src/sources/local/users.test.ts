import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEffectiveUid, parsePasswd, Users } from "./users.ts";

test("parsePasswd takes the first name of a number and leaves out what is no line of the file", () => {
  const text =
    "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n# no\n\n+::::::\nx:y\nme:x:1000:1000::/:\nbad:x:-1:0::/:\n";
  expect([...parsePasswd(text)]).toEqual([
    [0, "root"],
    [1000, "me"],
  ]);
});

test("parseEffectiveUid takes the second of the four", () => {
  expect(parseEffectiveUid("Name:\tUid: 9\nUid:\t1000\t33\t1000\t1000\nGid:\t1 2 3 4\n")).toBe(33);
  expect(parseEffectiveUid("")).toBeNull();
});

test("names follow the file: changed, replaced, gone, back", () => {
  const root = mkdtempSync(join(tmpdir(), "users-"));
  const users = new Users(root);
  const name = () => {
    users.refresh();
    return users.name(1000);
  };
  try {
    expect(name()).toBe("1000");
    mkdirSync(`${root}/etc`);
    writeFileSync(`${root}/etc/passwd`, "me:x:1000:1000::/:\n");
    expect(name()).toBe("me");
    writeFileSync(`${root}/etc/new`, "us:x:1000:1000::/:\n");
    renameSync(`${root}/etc/new`, `${root}/etc/passwd`);
    expect(name()).toBe("us");
    rmSync(`${root}/etc/passwd`);
    expect(name()).toBe("1000");
    writeFileSync(`${root}/etc/passwd`, "me:x:1000:1000::/:\n");
    expect(name()).toBe("me");
  } finally {
    rmSync(root, { recursive: true });
  }
});
