import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { cycleAt, HOST } from "../../../test/fixtures/machines/cycle.ts";
import { MACHINES, openMachine } from "../../../test/fixtures/machines/make.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { type BlockCounts, realFileSystems, storageSource } from "./storage.ts";

const DISK: BlockCounts = { frsize: 4096, blocks: 1000, bfree: 400, bavail: 350 };

describe("which mounts are real file systems", () => {
  const expected = {
    "dgx-h100": ["/", "/boot/efi", "/mnt/scratch space", "/raid"],
    "epyc-9654": ["/", "/boot/efi", "/data"],
    "grace-hopper": ["/", "/boot/efi"],
    "laptop-1370p": ["/", "/boot", "/boot/efi", "/media/usb\tstick"],
    container: ["/", "/work"],
  };
  for (const name of MACHINES) {
    test(name, async () => {
      using machine = openMachine(name);
      const asked: string[] = [];
      const ask = async (path: string) => {
        asked.push(path);
        return DISK;
      };
      const { storage, errors } = await storageSource({ root: machine.root, host: HOST, ask }).read(cycleAt(0));
      expect(errors).toBeUndefined();
      expect(storage?.map(({ mount_point }) => mount_point)).toEqual(expected[name]);
      expect(asked).toEqual(expected[name].map((mountPoint) => machine.root + mountPoint));
    });
  }

  test("of two mounts on one path the last is seen", () => {
    using machine = openMachine("epyc-9654");
    const text = readFileSync(`${machine.root}/proc/1/mountinfo`, "utf8");
    expect(realFileSystems(parseMountinfo(text)).at(-1)).toMatchObject({
      source: "/dev/mapper/vg0-newdata",
      type: "ext4",
    });
  });
});

test("sizes as df shows them", async () => {
  using machine = openMachine("grace-hopper");
  const { storage } = await storageSource({ root: machine.root, host: HOST, ask: async () => DISK }).read(cycleAt(0));
  expect(storage?.[0]).toEqual({
    mount_point: "/",
    total_bytes: 4096000,
    available_bytes: 350 * 4096,
    host_id: "h",
    hostname: "h",
    index: 0,
    used_bytes: 600 * 4096,
    device: "/dev/nvme0n1p2",
    file_system: "ext4",
  });
});

test("mounts that come and go are seen in the next reading", async () => {
  using machine = openMachine("grace-hopper");
  const source = storageSource({ root: machine.root, host: HOST, ask: async () => DISK });
  expect((await source.read(cycleAt(0))).storage).toHaveLength(2);
  machine.write(
    "/proc/1/mountinfo",
    "28 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n30 28 8:1 / /mnt rw - xfs /dev/sda1 rw\n",
  );
  const { storage } = await source.read(cycleAt(3000));
  expect(storage?.map(({ mount_point, index }) => [mount_point, index])).toEqual([
    ["/", 0],
    ["/mnt", 1],
  ]);
  source.close?.();
});

test("a file system that hangs is asked once, and hides no other", async () => {
  using machine = openMachine("grace-hopper");
  const asked: string[] = [];
  const ask = (path: string): Promise<BlockCounts> => {
    asked.push(path.slice(machine.root.length));
    return path.endsWith("/boot/efi") ? new Promise(() => {}) : Promise.resolve(DISK);
  };
  const source = storageSource({ root: machine.root, host: HOST, ask });
  const first = await source.read(cycleAt(0));
  expect(first.storage).toMatchObject([{ total_bytes: 4096000 }, { mount_point: "/boot/efi", total_bytes: null }]);
  expect(first.errors).toBeUndefined();
  const second = await source.read(cycleAt(6000));
  expect(second.storage).toMatchObject([{ total_bytes: 4096000 }, { total_bytes: null, used_bytes: null }]);
  expect(second.errors).toEqual(["storage: /boot/efi does not answer"]);
  expect(asked).toEqual(["/", "/boot/efi", "/"]);
  source.close?.();
});

test("one that cannot be asked is listed as unknown and told; one without blocks is left out", async () => {
  using machine = openMachine("grace-hopper");
  const denied = Object.assign(new Error("denied"), { code: "EACCES" });
  const ask = (path: string) =>
    path.endsWith("efi") ? Promise.reject(denied) : Promise.resolve({ ...DISK, blocks: 0 });
  const reading = await storageSource({ root: machine.root, host: HOST, ask }).read(cycleAt(0));
  expect(reading.storage).toMatchObject([
    { mount_point: "/boot/efi", index: 0, total_bytes: null, available_bytes: null },
  ]);
  expect(reading.errors).toEqual(["storage: /boot/efi: EACCES"]);
});
