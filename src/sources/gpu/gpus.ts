import type { HostIdentity, Source } from "../source.ts";
import { amdSource } from "./amd/amd.ts";
import { DrmClients } from "./drm/clients.ts";
import type { GpuRegistry } from "./registry.ts";

export interface GpuOptions {
  /** Prefix of `/proc`, `/sys` and `/dev`: `""` is this machine. */
  readonly root: string;
  readonly host: HostIdentity;
  readonly registry: GpuRegistry;
}

/** A reader for each vendor; one whose cards the machine has not yields nothing, and costs next to nothing. */
export async function openGpuSources(options: GpuOptions): Promise<Source[]> {
  const clients = new DrmClients(options.root);
  return [amdSource(options, clients)];
}
