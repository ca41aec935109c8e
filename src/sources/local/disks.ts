/** What any listing of mounts tells of one: /proc/PID/mountinfo, or an exporter's labels. */
export interface MountPlace {
  readonly mountPoint: string;
  readonly type: string;
  /** `/dev/sda1`, a pool's data set, `overlay`, … */
  readonly source: string;
}

/** Read-only images that are always full. */
const IMAGES = new Set(["squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"]);

/** Without a disk of their own, whatever stands for their source: memory, and what lies over other file systems. */
const WITHOUT_DISK = new Set([
  ...["tmpfs", "ramfs", "devtmpfs", "rootfs", "overlay", "overlayfs", "aufs", "unionfs", "ecryptfs", "fuse", "nsfs"],
]);

/** File systems of this machine whose source is no device file. */
const WITHOUT_DEVICE = new Set(["zfs", "btrfs", "bcachefs", "ubifs", "jffs2"]);

/** Folders in which no disk is mounted: what is mounted there is a file or a folder of another file system. */
const SYSTEM_FOLDER =
  /^\/(proc|sys|dev|bin|sbin|lib|lib32|lib64|usr\/(bin|sbin|lib|lib32|lib64|libexec|share)|(var\/)?run\/(secrets|credentials|nvidia[^/]*))\/./;

/** Below these the engines of containers mount layers, volumes and namespaces: containers' views of what is counted. */
const CONTAINERS_FOLDER = [
  /^\/var\/lib\/(docker\/(?!volumes\/)|containerd\/|containers\/(?!storage$)|crio\/|cri-o\/|kubelet\/pods\/|lxc|lxd\/|incus\/|lxcfs\/)./,
  /^\/var\/lib\/rancher\/(k3s|rke2)\/(agent\/containerd|data)\/./,
  /^\/(var\/)?run\/(docker|containerd|containers|crio|cri-o|k3s|runc|netns|snapd|lxcfs|user\/\d+\/(containers|docker))\/./,
  /^\/var\/snap\/[^/]+\/common\/(lxd\/storage-pools|var-lib-docker|var\/lib\/containerd)\/./,
  /\/\.local\/share\/(docker|containers)\/./,
  // Wherever an engine has its folder: by the names in it, and that of the mount.
  /\/(overlay2?|overlay-containers|aufs\/mnt|devicemapper\/mnt|btrfs\/subvolumes|zfs\/graph|vfs\/dir)\/[0-9a-f]{12,64}(-init)?(\/|$)/,
  /\/io\.containerd\.[\w.-]+\/./,
  /\/pods\/[^/]+\/(volumes|volume-subpaths|containers)\/./,
];

/** Devices that Docker makes of its pool, one a layer: `/dev/mapper/docker-8:1-1234-…`. */
const LAYER_DEVICE = /^\/dev\/mapper\/docker-\d+:\d+-/;

/** Which files engines bind into a container from their own disk; in this order the surest sign of it first. */
const OF_ENGINE = ["/etc/hostname", "/etc/resolv.conf", "/etc/hosts"];

const isSnapshot = ({ mountPoint, type, source }: MountPlace): boolean =>
  (type === "zfs" && source.includes("@")) || mountPoint.includes("/.zfs/snapshot/");

/**
 * Whether a mount may be a disk of the machine, as far as its names tell: no image, no layer, no snapshot. Network file
 * systems are none of this machine's.
 */
export function mayBeDisk(place: MountPlace): boolean {
  const { mountPoint, type, source } = place;
  // In a container the root is often an overlay: its numbers are those of the disk behind it.
  if (mountPoint === "/") return true;
  if (IMAGES.has(type) || WITHOUT_DISK.has(type) || type.startsWith("fuse.") || isSnapshot(place)) return false;
  if (
    LAYER_DEVICE.test(source) ||
    SYSTEM_FOLDER.test(mountPoint) ||
    CONTAINERS_FOLDER.some((folder) => folder.test(mountPoint))
  )
    return false;
  return source.startsWith("/dev/") || WITHOUT_DEVICE.has(type);
}

/**
 * The disk that the numbers of a container's root are of, by its mount of a file that the engine keeps on it; `null` where
 * the root has a device of its own.
 */
export function diskOfRoot<M extends MountPlace>(mounts: readonly M[]): M | null {
  const root = mounts.findLast(({ mountPoint }) => mountPoint === "/");
  if (root === undefined || root.source.startsWith("/dev/") || WITHOUT_DEVICE.has(root.type)) return null;
  const bound = OF_ENGINE.map((file) => mounts.find(({ mountPoint }) => mountPoint === file));
  return bound.find((mount) => mount !== undefined && mayBeDisk(mount)) ?? null;
}

/** Names of files that are bound into containers one by one, for who cannot look at them. */
const FILE_NAME =
  /^\/etc\/(hosts|hostname|localtime|timezone|machine-id|passwd|group|shadow|os-release|mtab)$|\.(conf|cnf|cfg|ini|json|ya?ml|toml|xml|txt|sh|py|pem|crt|cert|key|sock|log|bin|env|properties)$|\.so(\.\d+)*$/;

/** Whether a mount point must be a file, as far as its name tells. */
export const isFileName = (mountPoint: string): boolean => FILE_NAME.test(mountPoint);
