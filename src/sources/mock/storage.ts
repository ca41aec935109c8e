import type { Storage } from "../../frame/schema.ts";
import type { HostState } from "./host_state.ts";
import { noise, salt } from "./random.ts";

const DISK = salt("disk");

const DISKS = [
  {
    mount_point: "/",
    device: "/dev/nvme0n1p2",
    file_system: "ext4",
    total_bytes: 1_888_500_056_064,
    base: 0.21,
    swing: 0.02,
  },
  {
    mount_point: "/scratch",
    device: "/dev/md0",
    file_system: "xfs",
    total_bytes: 30_724_948_983_808,
    base: 0.58,
    swing: 0.36,
  },
] as const;

/** Scratch space fills with checkpoints and is cleaned up within hours. */
export function storageRows(host: HostState, withHealth: boolean): Storage[] {
  return DISKS.map((disk, index) => {
    const filled = disk.base + disk.swing * noise(host.seed, DISK, host.host * 2 + index, host.t_s, 10_800);
    const blocks = Math.floor((disk.total_bytes * filled) / 4096);
    return {
      mount_point: disk.mount_point,
      total_bytes: disk.total_bytes,
      available_bytes: disk.total_bytes - blocks * 4096,
      host_id: host.identity.host_id,
      hostname: host.identity.hostname,
      index,
      ...(withHealth && { used_bytes: blocks * 4096, device: disk.device, file_system: disk.file_system }),
    };
  });
}
