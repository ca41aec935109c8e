import type { Sections } from "./frame.ts";
import type { Gpu } from "./schema.ts";

/**
 * What takes much room in a frame and can be left out of it: the cores of the CPUs; of the GPUs what is at the other end
 * of their links, how the links do, and `detail`; the processes that use no GPU.
 */
export const PARTS = ["cores", "peers", "links", "details", "host_processes"] as const;

export type Part = (typeof PARTS)[number];

/** A list such as `cores,links`; a text is what is wrong with it. */
export function parseParts(text: string): Part[] | string {
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  const odd = words.find((word) => !PARTS.some((part) => part === word));
  return odd === undefined ? PARTS.filter((part) => words.includes(part)) : `"${odd}" is none of ${PARTS.join(", ")}.`;
}

/** Sections, or a whole frame, without those parts. */
export const withoutParts = <S extends Sections>(sections: S, parts: readonly Part[]): S =>
  parts.reduce((rest, part) => LEAVE_OUT[part](rest), sections);

const LEAVE_OUT: { readonly [P in Part]: <S extends Sections>(sections: S) => S } = {
  cores: (sections) =>
    sections.cpus
      ? { ...sections, cpus: sections.cpus.map((cpu) => ({ ...cpu, per_core_utilization: [] })) }
      : sections,
  peers: (sections) =>
    sections.gpus
      ? { ...sections, gpus: sections.gpus.map((gpu) => ({ ...gpu, nvlink_remote_devices: [] })) }
      : sections,
  links: (sections) => (sections.gpus ? { ...sections, gpus: sections.gpus.map(withoutLinks) } : sections),
  details: (sections) =>
    sections.gpus ? { ...sections, gpus: sections.gpus.map((gpu) => ({ ...gpu, detail: {} })) } : sections,
  host_processes: (sections) =>
    sections.processes ? { ...sections, processes: sections.processes.filter(({ uses_gpu }) => uses_gpu) } : sections,
};

function withoutLinks(gpu: Gpu): Gpu {
  if (!gpu.health) return gpu;
  const { nvlink: _, ...health } = gpu.health;
  return { ...gpu, health };
}
