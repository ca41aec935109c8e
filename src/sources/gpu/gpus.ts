import { Tree } from "../local/files.ts";
import type { HostIdentity, Source } from "../source.ts";
import { amdSource } from "./amd/amd.ts";
import { DrmClients } from "./drm/clients.ts";
import { CardIndexes } from "./drm/indexes.ts";
import { intelSource } from "./intel/intel.ts";
import { machineMemoryOf } from "./machine_memory.ts";
import { CardNames } from "./nvidia/card_names.ts";
import { hasDriver, hasHardware, mayHaveCards } from "./nvidia/presence.ts";
import { findNvidiaSmi } from "./nvidia/smi/find.ts";
import { nvidiaSource } from "./nvidia/source.ts";
import type { GpuRegistry } from "./registry.ts";
import { tegraSource } from "./tegra/tegra.ts";

export interface GpuOptions {
  /** Prefix of `/proc`, `/sys` and `/dev`: `""` is this machine. */
  readonly root: string;
  readonly host: HostIdentity;
  readonly registry: GpuRegistry;
}

/** A reader for each vendor; one whose cards the machine has not yields nothing, and costs next to nothing. */
export async function openGpuSources(options: GpuOptions): Promise<Source[]> {
  const clients = new DrmClients(options.root);
  const indexes = new CardIndexes(new Tree(options.root));
  const nvidia = openJetson(options) ?? openNvidia(options);
  return [nvidia, amdSource(options, clients, indexes), intelSource(options, clients, indexes)];
}

/** `null`: it is none, or one with a card on its PCI bus, or somebody wants another library to be asked. */
function openJetson(options: GpuOptions): Source | null {
  return process.env.ALL_SMI_NVML || hasHardware(options.root) ? null : tegraSource(options);
}

function openNvidia({ root, host, registry }: GpuOptions): Source {
  const isExpected = () => hasHardware(root) || hasDriver(root);
  return nvidiaSource({
    host,
    registry,
    mayHaveCards: () => mayHaveCards(root),
    hasDriver: () => hasDriver(root),
    names: new CardNames(root),
    machineMemory: machineMemoryOf(root),
    ways: [
      async () => {
        const { HelperWay } = await import("./nvidia/helper_way.ts");
        const isLibraryNamed = Boolean(process.env.ALL_SMI_NVML);
        return new HelperWay({
          isLibraryNamed,
          isExpected,
          hasStandIn: () => findNvidiaSmi() !== null,
        });
      },
      async () => (await import("./nvidia/smi/way.ts")).nvidiaSmiWay(root, isExpected),
    ],
  });
}
