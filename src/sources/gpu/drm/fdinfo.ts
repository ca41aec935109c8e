/** What the kernel says of one open DRM file: Documentation/gpu/drm-usage-stats.rst. */
export interface DrmClient {
  readonly driver: string;
  /** `0000:03:00.0`. */
  readonly pci: string;
  /** The same for every descriptor of one opened file, in whatever process; unique for a card. */
  readonly client_id: string;
  /** By the driver's names for them: `gfx`, `render`, `rcs`. */
  readonly engines: ReadonlyMap<string, EngineTime>;
  /** Bytes that are in memory, by the driver's names for its kinds: `vram`, `gtt`, `system0`. */
  readonly memory: ReadonlyMap<string, number>;
}

/** How long an engine has worked for a client. */
export interface EngineTime {
  readonly busy: number;
  /** What passed meanwhile, in the same unit; `null`: `busy` is in nanoseconds. */
  readonly total: number | null;
  /** How many of its kind there are, as they are busy side by side. */
  readonly capacity: number;
}

const BYTES = new Map([
  [undefined, 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

/** `null`: the file is none of a DRM driver, or of one that does not tell of its clients. */
export function parseFdinfo(text: string): DrmClient | null {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (line.startsWith("drm-")) values.set(line.slice(4, colon), line.slice(colon + 1).trim());
  }
  const [driver, pci, client_id] = [values.get("driver"), values.get("pdev"), values.get("client-id")];
  if (!driver || !pci || !client_id) return null;
  return { driver, pci: pci.toLowerCase(), client_id, engines: enginesOf(values), memory: memoryOf(values) };
}

type Values = ReadonlyMap<string, string>;

/** Drivers count in nanoseconds, in cycles, or in both: then in nanoseconds here. */
function enginesOf(values: Values): Map<string, EngineTime> {
  const engines = new Map<string, EngineTime>();
  for (const [key, value] of values) {
    const [, unit, name = ""] = /^(engine|cycles)-(?!capacity-)(.+)$/.exec(key) ?? [];
    if (unit === undefined) continue;
    const busy = parseCount(value);
    const total = unit === "engine" ? null : parseCount(values.get(`total-cycles-${name}`));
    if (busy === null || (unit === "cycles" && (total === null || values.has(`engine-${name}`)))) continue;
    engines.set(name, { busy, total, capacity: parseCount(values.get(`engine-capacity-${name}`)) || 1 });
  }
  return engines;
}

/** `memory-` is what `resident-` was called at first. */
function memoryOf(values: Values): Map<string, number> {
  const memory = new Map<string, number>();
  for (const [key, value] of values) {
    const [, word, kind = ""] = /^(memory|resident)-(.+)$/.exec(key) ?? [];
    if (word === undefined || (word === "memory" && values.has(`resident-${kind}`))) continue;
    const bytes = parseBytes(value);
    if (bytes !== null) memory.set(kind, bytes);
  }
  return memory;
}

/** Beyond 2^53 (busy for 104 days, in ns) its last digits are lost, which no rate shows. */
function parseCount(text: string | undefined): number | null {
  const digits = /^(\d{1,20})(?: ns)?$/.exec(text ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}

function parseBytes(text: string): number | null {
  const [, digits, unit] = /^(\d{1,20})(?: (\S+))?$/.exec(text) ?? [];
  const bytes = digits === undefined ? Number.NaN : Number(digits) * (BYTES.get(unit) ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
