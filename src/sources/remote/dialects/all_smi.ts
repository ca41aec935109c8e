import type { Fields } from "../../../frame/field.ts";
import { type Memory, sections } from "../../../frame/schema.ts";
import type { Draft } from "../blank.ts";
import type { Labels, Take } from "../exposition.ts";
import { type Setter, setterOf } from "../paths.ts";
import { INFO_FAMILIES } from "./all_smi_info.ts";
import { AllSmiRows } from "./all_smi_rows.ts";
import type { Dialect, PageContext, PageReader, Told } from "./dialect.ts";

/** Our own text, and that of the Rust all-smi, which has a part of the families. */

export const PREFIX = "all_smi_";

interface Place {
  /** Where the row's keys stand in the schema: `gpus`, `cpus.per_socket_info`, … */
  readonly of: string;
  readonly set: Setter;
}

/** Every family that the schema names, with where its value goes. */
function* places(fields: Fields, of: string, root: Fields, path: readonly string[]): Generator<[string, Place]> {
  for (const [key, field] of Object.entries(fields)) {
    const here = [...path, key];
    if (field.metric) yield [field.metric.family, { of, set: setterOf(root, here.join(".")) }];
    if (field.fields === undefined) continue;
    if (field.kind === "list") yield* places(field.fields, `${of}.${here.join(".")}`, field.fields, []);
    else yield* places(field.fields, of, root, here);
  }
}

const PLACES: ReadonlyMap<string, Place> = new Map(
  Object.entries(sections).flatMap(([section, fields]) => [...places(fields, section, fields, [])]),
);

class AllSmiReader implements PageReader {
  readonly #rows = new AllSmiRows();

  take(family: string): Take | null {
    const name = family.slice(PREFIX.length);
    const info = INFO_FAMILIES.get(name);
    if (info !== undefined) {
      return this.#noted(name, (labels, value) => value !== null && info(this.#rows, labels, value));
    }
    const place = PLACES.get(name);
    const find = this.#rows.find.get(place?.of ?? "");
    if (place === undefined || find === undefined) return null;
    return this.#noted(name, (labels, value) => {
      const row = find(labels);
      if (row !== null && value !== null) place.set(row, value);
    });
  }

  #noted(name: string, take: (labels: Labels, value: number | null) => unknown): Take {
    const section = name.split("_", 1)[0] ?? "";
    return (labels, value) => {
      this.#rows.note(section, labels);
      take(labels, value);
    };
  }

  finish({ time, perCore }: PageContext): Told {
    const { gpus, cpus, memory, chassis, processes, storage, host } = this.#rows;
    const timed = <T extends object>(devices: ReadonlyMap<string, T>): T[] =>
      [...devices.values()].map((device) => ({ ...device, time }));
    return {
      sections: {
        gpus: gpus.list(time),
        cpus: timed(cpus).map((cpu) => (perCore ? cpu : { ...cpu, per_core_utilization: [] })),
        memory: timed(memory).map(withUtilization),
        chassis: timed(chassis),
        processes: [...processes.values()],
        storage: [...storage.values()],
      },
      hostname: host.name,
      hasSeveralHosts: host.hasSeveral,
    };
  }
}

/** The Rust tool's text has no utilization of memory. */
function withUtilization(memory: Draft<Memory>): Draft<Memory> {
  const { utilization, used_bytes, total_bytes } = memory;
  if (utilization !== null || used_bytes === null || !total_bytes) return memory;
  return { ...memory, utilization: Math.round((1000 * used_bytes) / total_bytes) / 10 };
}

export const allSmi: Dialect = {
  owns: (family) => family.startsWith(PREFIX),
  open: () => new AllSmiReader(),
};
