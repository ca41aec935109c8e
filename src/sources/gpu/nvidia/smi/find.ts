import { existsSync } from "node:fs";

/** Where it lies when it is not on the path: in WSL, on NixOS, in containers that got a driver's folder. */
const PLACES = ["/usr/bin", "/usr/lib/wsl/lib", "/run/current-system/sw/bin", "/usr/local/nvidia/bin"];

/** The path of nvidia-smi; `null`: it is not on this machine. */
export function findNvidiaSmi(PATH = process.env.PATH ?? "", places = PLACES): string | null {
  const found = Bun.which("nvidia-smi", { PATH });
  return found ?? places.map((place) => `${place}/nvidia-smi`).find((path) => existsSync(path)) ?? null;
}
