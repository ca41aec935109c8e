import type { SectionName } from "./schema.ts";

/** What people call the sections, in the order of the frame; the first word of each is the one that we say. */
const WORDS = new Map<string, SectionName>([
  ["gpu", "gpus"],
  ["gpus", "gpus"],
  ["cpu", "cpus"],
  ["cpus", "cpus"],
  ["memory", "memory"],
  ["mem", "memory"],
  ["chassis", "chassis"],
  ["process", "processes"],
  ["processes", "processes"],
  ["storage", "storage"],
  ["disk", "storage"],
]);

/** `gpu` of `gpus`: the word for which `include` has that section. */
export function wordOf(section: SectionName): string {
  const [word = section] = [...WORDS].find(([, named]) => named === section) ?? [];
  return word;
}

/** A list such as `gpu,cpu`, as sections in the order of the frame; a text is what is wrong with it. */
export function parseSections(text: string): SectionName[] | string {
  const wanted = new Set<SectionName>();
  for (const word of text.split(",")) {
    const section = WORDS.get(word.trim().toLowerCase());
    if (section === undefined) return `"${word}" is none of gpu, cpu, memory, chassis, process, storage.`;
    wanted.add(section);
  }
  return [...new Set(WORDS.values())].filter((section) => wanted.has(section));
}
