import { Tree } from "../local/files.ts";
import { memorySizes } from "../local/memory.ts";

/** Bytes. */
export interface MemoryUse {
  readonly used_memory: number | null;
  readonly total_memory: number | null;
}

/** The memory of a machine, as devices have it that share it. */
export function machineMemory(tree: Tree): MemoryUse {
  const { used_bytes, total_bytes } = memorySizes(tree.text("/proc/meminfo") ?? "");
  return { used_memory: used_bytes, total_memory: total_bytes };
}

export const machineMemoryOf = (root: string): (() => MemoryUse) => {
  const tree = new Tree(root);
  return () => machineMemory(tree);
};
