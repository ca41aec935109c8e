import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { below, existsBelow, FoldersBelow, linkBelow } from "./below_root.ts";

const LINKS: Readonly<Record<string, string>> = {
  "/absolute": "/etc/name",
  "/relative": "etc/name",
  "/etc/climbs": "../../../../../../etc/name",
  "/etc/chain": "chain2",
  "/etc/chain2": "/etc/./chain3/",
  "/etc/chain3": "../absolute",
  "/sys/class/drm/card0": "../../devices/pci/card0",
  "/circle": "/etc/circle",
  "/etc/circle": "../circle",
  "/etc/self": "self",
  "/grows": "/grows/grows",
  "/nowhere": "/no/such/file",
  "/up": "..",
  "/own": "/own",
};

test("every link is followed below the root", () => {
  const root = mkdtempSync(join(tmpdir(), "all-smi-below-"));
  try {
    mkdirSync(`${root}/etc`);
    mkdirSync(`${root}/sys/class/drm`, { recursive: true });
    mkdirSync(`${root}/sys/devices/pci/card0`, { recursive: true });
    writeFileSync(`${root}/etc/name`, "n");
    for (const [link, target] of Object.entries(LINKS)) symlinkSync(target, root + link);
    const found = (file: string) => below(root, file);
    for (const file of [
      "/absolute",
      "/relative",
      "/etc/climbs",
      "/etc/chain",
      "/up/up/etc/name",
      "/../etc/x/../name",
    ]) {
      expect([file, found(file)]).toEqual([file, `${root}/etc/name`]);
      expect(new FoldersBelow(root).file(file)).toBe(`${root}/etc/name`);
    }
    expect(found("/sys/class/drm/card0/device")).toBe(`${root}/sys/devices/pci/card0/device`);
    expect(linkBelow(root, "/sys/class/drm/card0")).toBe(`${root}/sys/class/drm/card0`);
    expect(found("/nowhere")).toBe(`${root}/no/such/file`);
    expect([found("/"), found("/up"), found("/own")]).toEqual([`${root}/`, `${root}/`, `${root}/own`]);
    for (const file of ["/circle", "/etc/circle/x", "/etc/self", "/grows"]) {
      expect(() => found(file)).toThrow("ELOOP");
      expect(existsBelow(root, file)).toBe(false);
    }
    const folders = new FoldersBelow(root);
    expect(folders.file("/sys/class/drm/card0/x")).toBe(`${root}/sys/devices/pci/card0/x`);
    rmSync(`${root}/sys/class/drm/card0`);
    folders.forget();
    expect(folders.file("/sys/class/drm/card0/x")).toBe(`${root}/sys/class/drm/card0/x`);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("of this machine the kernel follows them", () => {
  expect([below("", "/etc/../x"), linkBelow("", "/a/b"), new FoldersBelow("").file("/a/b")]).toEqual([
    ...["/etc/../x", "/a/b", "/a/b"],
  ]);
});
