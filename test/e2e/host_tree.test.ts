import { expect, test } from "bun:test";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { FOLDER, hostTree, type Tree } from "./host_tree.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();

async function snapshot(...options: string[]): Promise<Frame> {
  const { out, err } = await start([...PROGRAM, "snapshot", ...options]).ended;
  const line = decodeLine(out.trimEnd());
  if (line.kind !== "frame") throw new Error(`no frame: ${out}${err}`);
  return line.frame;
}

const ofTree = (tree: Tree, include: string): Promise<Frame> =>
  snapshot(
    "--host-root",
    hostTree(folder, { "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n", ...tree }),
    "--include",
    include,
  );

const STAT = `42 (train) S 1 42 42 0 -1 4194560 1 0 0 0 5 5 0 0 20 0 1 0 100 1000000 200 ${"0 ".repeat(28)}\n`;

const MACHINE: Tree = {
  "/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n",
  "/proc/sys/kernel/hostname": "pod-abc\n",
  "/proc/42/stat": STAT,
  "/proc/42/statm": "100 50 0 0 0 0 0\n",
  "/proc/42/status": "Name:\ttrain\nUid:\t1000\t1000\t1000\t1000\n",
  "/proc/42/cmdline": "train\0",
};

test("links of the machine are followed below its root", async () => {
  const { hostname, processes } = await ofTree(
    {
      ...MACHINE,
      "/etc/hostname": { link: "/etc/static/hostname" },
      "/etc/static": { link: "../../../../../nix/store/etc" },
      "/nix/store/etc/hostname": { link: "name/1" },
      "/nix/store/etc/name": { link: "/run/./names" },
      "/run/names/1": "node7\n",
      "/etc/passwd": { link: "/etc/static/passwd" },
      "/nix/store/etc/passwd": "alice:x:1000:100::/home/alice:/bin/sh\n",
    },
    "process",
  );
  expect(hostname).toBe("node7");
  expect(processes?.map(({ user, command }) => [user, command])).toEqual([["alice", "train"]]);
});

test("links that lead in a circle, or to what is only here, lead to nothing", async () => {
  const { hostname, processes } = await ofTree(
    {
      ...MACHINE,
      "/etc/hostname": { link: "/etc/hostname2" },
      "/etc/hostname2": { link: "/etc/hostname" },
      "/etc/passwd": { link: "../../../../../etc/passwd" },
    },
    "process",
  );
  expect(hostname).toBe("pod-abc");
  expect(processes?.map(({ user }) => user)).toEqual(["1000"]);
});

test("so are those of its buses", async () => {
  const { chassis } = await ofTree(
    {
      ...MACHINE,
      "/sys/class/power_supply/AC": { link: "/sys/devices/acpi/AC" },
      "/sys/devices/acpi": { link: "../../../../sys/firmware-devices" },
      "/sys/firmware-devices/AC/type": "Mains\n",
      "/sys/firmware-devices/AC/online": "1\n",
    },
    "chassis",
  );
  expect(chassis?.[0]?.psu_status).toMatchObject([{ name: "AC", status: "Ok" }]);
});

/** Mounts as /proc/1/mountinfo has them: device number, folder of the file system, mount point, type, source. */
const mounts = (...lines: string[]): Tree => ({
  "/proc/1/mountinfo": lines
    .map((line, i) => {
      const [number, root, mountPoint, type, source] = line.split(" ");
      return `${100 + i} 99 ${number} ${root} ${mountPoint} rw,relatime - ${type} ${source} rw\n`;
    })
    .join(""),
});

async function disksOf(tree: Tree): Promise<string[] | undefined> {
  const { storage, errors } = await ofTree(tree, "storage");
  expect(errors).toEqual([]);
  return storage?.map(({ mount_point }) => mount_point);
}

test("a container has its root and its volumes: no files bound into it, nothing else of the disk behind its root", async () => {
  const engine = "/var/lib/docker/containers/ab";
  const disks = await disksOf({
    ...mounts(
      "0:48 / / overlay overlay",
      "0:53 / /dev tmpfs tmpfs",
      `259:2 ${engine}/hostname /etc/hostname ext4 /dev/nvme0n1p2`,
      `259:2 ${engine}/hosts /etc/hosts ext4 /dev/nvme0n1p2`,
      "259:2 /term /dev/termination-log ext4 /dev/nvme0n1p2",
      "259:2 /usr/bin/nvidia-smi /usr/bin/nvidia-smi ext4 /dev/nvme0n1p2",
      "259:2 /home/alice/src /src ext4 /dev/nvme0n1p2",
      "259:6 /models/weights /weights ext4 /dev/nvme2n1",
      "259:7 /app.toml /app.toml ext4 /dev/nvme3n1",
      "259:7 /work /volumes/work ext4 /dev/nvme3n1",
      "0:70 / /proc/meminfo fuse.lxcfs lxcfs",
    ),
    ...{ "/etc/hostname": "a\n", "/etc/hosts": "", "/usr/bin/nvidia-smi": "", "/src": FOLDER, "/app.toml": "" },
    ...{ "/weights": "one large file", "/volumes/work": FOLDER },
  });
  expect(disks).toEqual(["/", "/volumes/work"]);
});

test("a node has its disks, each once: no snapshots, no layers and volumes of its containers", async () => {
  const pod = "/var/lib/kubelet/pods/1-2/volumes/kubernetes.io~csi/pvc-1/mount";
  const disks = await disksOf({
    ...mounts(
      "0:41 /@ / btrfs /dev/sda2",
      "0:42 /@/.snapshots /.snapshots btrfs /dev/sda2",
      "0:43 /@home /home btrfs /dev/sda2",
      "0:44 / /tank zfs tank",
      "0:45 / /tank/.zfs/snapshot/daily zfs tank@daily",
      "0:46 / /mnt/restore zfs tank@weekly",
      "7:1 / /snap/core/1 squashfs /dev/loop1",
      "8:16 / /var/lib/docker ext4 /dev/sdb",
      "253:9 / /var/lib/docker/devicemapper/mnt/ab xfs /dev/mapper/docker-253:0-1",
      "0:60 / /var/lib/docker/overlay2/ab/merged overlay overlay",
      "0:61 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/ab/rootfs overlay overlay",
      "0:62 / /var/lib/kubelet/pods/1-2/volumes/kubernetes.io~empty-dir/tmp tmpfs tmpfs",
      `8:32 / ${pod} ext4 /dev/sdc`,
      "0:63 / /var/lib/lxcfs fuse.lxcfs lxcfs",
    ),
    ...{ "/tank": FOLDER, "/home": FOLDER, "/var/lib/docker": FOLDER, [pod]: FOLDER, "/mnt/restore": FOLDER },
  });
  expect(disks).toEqual(["/", "/tank", "/var/lib/docker"]);
});

test("nor those of an engine that has its folder elsewhere", async () => {
  const layer = `${"0123456789ab".repeat(5)}0123`;
  const pod = "/data/kubelet/pods/1-2/volumes/kubernetes.io~csi/pvc-1/mount";
  const paths = [
    `/data/docker/devicemapper/mnt/${layer}`,
    `/data/docker/zfs/graph/${layer}`,
    `/data/docker/btrfs/subvolumes/${layer}-init`,
    "/data/containerd/io.containerd.runtime.v2.task/k8s.io/ab/rootfs",
    "/mnt/layer",
    pod,
    "/data/overlay/results",
  ];
  const disks = await disksOf({
    ...mounts(
      "8:1 / / ext4 /dev/sda1",
      "8:16 / /data ext4 /dev/sdb",
      `253:9 / ${paths[0]} xfs /dev/mapper/pool-ab`,
      `0:45 / ${paths[1]} zfs tank/docker/ab`,
      `0:46 /ab ${paths[2]} btrfs /dev/sdd`,
      `253:10 / ${paths[3]} xfs /dev/mapper/pool-snap-7`,
      "253:11 / /mnt/layer xfs /dev/mapper/docker-8:1-4711-ab",
      `8:32 / ${pod} ext4 /dev/sdc`,
      "8:48 / /data/overlay/results ext4 /dev/sde",
    ),
    "/data": FOLDER,
    ...Object.fromEntries(paths.map((path) => [path, FOLDER] as const)),
  });
  expect(disks).toEqual(["/", "/data", "/data/overlay/results"]);
});

const fileSystem = (device: string, fstype: string, mountpoint: string): string =>
  ["size", "free", "avail"]
    .map(
      (what) =>
        `node_filesystem_${what}_bytes{device="${device}",fstype="${fstype}",mountpoint="${mountpoint}"} 1000\n`,
    )
    .join("");

test("so has one that node_exporter lists", async () => {
  const page = [
    "node_memory_MemTotal_bytes 1000\n",
    fileSystem("rootfs", "rootfs", "/"),
    fileSystem("/dev/sda2", "ext4", "/"),
    fileSystem("/dev/sda2", "ext4", "/usr/bin/nvidia-smi"),
    fileSystem("/dev/sdb1", "xfs", "/etc/hostname"),
    fileSystem("/dev/sdb1", "xfs", "/etc/resolv.conf"),
    fileSystem("/dev/sdb1", "xfs", "/run/secrets/token"),
    fileSystem("/dev/sdb1", "xfs", "/dev/termination-log"),
    fileSystem("/dev/sdb1", "xfs", "/usr/lib/libcuda.so.535"),
    fileSystem("tank/home", "zfs", "/home"),
    fileSystem("tank/home@daily", "zfs", "/mnt/old"),
    fileSystem("/dev/sdc", "ext4", "/var/lib/kubelet/pods/1-2/volumes/kubernetes.io~csi/pvc-1/mount"),
    fileSystem("/dev/sdd", "xfs", "/models"),
  ].join("");
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(page) });
  const { storage } = await snapshot(
    "--source",
    "remote",
    "--hosts",
    `127.0.0.1:${server.port}`,
    "--include",
    "storage",
  );
  await server.stop(true);
  expect(storage?.map(({ mount_point, device }) => [mount_point, device])).toEqual([
    ["/", "/dev/sda2"],
    ["/home", "tank/home"],
    ["/models", "/dev/sdd"],
  ]);
});
