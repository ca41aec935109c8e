import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { Files, type Read } from "../src/doctor/files.ts";
import type { Check, Finding } from "../src/doctor/finding.ts";
import type { Machine } from "../src/doctor/machine.ts";
import { openMachine } from "./fixtures/machines/make.ts";

/** Files of a machine by their paths: a text, or where a link points to. */
export type Tree = Readonly<Record<string, string | { readonly link: string }>>;

/** Paths that cannot be read, and the code of the error: whoever runs the tests may be root, whom no mode stops. */
type Denied = Readonly<Record<string, string>>;

class GuardedFiles extends Files {
  readonly #denied: Denied;

  constructor(root: string, denied: Denied) {
    super(root);
    this.#denied = denied;
  }

  override read(path: string): Read {
    const code = this.#denied[path];
    return code === undefined ? super.read(path) : { code };
  }

  override denied(path: string, how: "r" | "rw"): string | null {
    return this.#denied[path] ?? super.denied(path, how);
  }
}

export interface MadeMachine extends Machine, Disposable {}

/** A machine of these files, which are also all that a process on it sees. */
export function machineOf(
  tree: Tree,
  more: Partial<Pick<Machine, "env" | "uid">> & { denied?: Denied } = {},
): MadeMachine {
  const made = openMachine(null);
  for (const [path, content] of Object.entries(tree)) {
    if (typeof content === "string") made.write(path, content);
    else {
      mkdirSync(dirname(made.root + path), { recursive: true });
      symlinkSync(content.link, made.root + path);
    }
  }
  const files = new GuardedFiles(made.root, more.denied ?? {});
  return {
    root: made.root,
    version: "1.2.3",
    recording: `${made.root}/recording.ndjson.zst`,
    terminal: null,
    files,
    own: files,
    env: more.env ?? {},
    uid: more.uid ?? 1000,
    nvidiaSmi: Object.keys(tree).find((path) => path.endsWith("/nvidia-smi")) ?? null,
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}

/** What the checks of those names find, as lines: `problem driver: no driver is loaded`. */
export async function findingsOf(checks: readonly Check[], machine: Machine): Promise<string[]> {
  const lines: string[] = [];
  for (const check of checks) {
    for (const { state, says } of await check.run(machine)) lines.push(`${state} ${check.name}: ${says}`);
  }
  return lines;
}

/** The fixes of all that is no `ok`, one below the other. */
export async function fixesOf(checks: readonly Check[], machine: Machine): Promise<string> {
  const verdicts = await Promise.all(checks.map((check) => check.run(machine)));
  return verdicts
    .flat()
    .flatMap(({ fix }) => fix ?? [])
    .join("\n");
}

/** As it stands in a report. */
export const findingOf = (part: Partial<Finding>): Finding => ({
  group: "nvidia",
  name: "driver",
  state: "ok",
  says: "580.82.07 is loaded",
  fix: null,
  ...part,
});

/** A GPU on the PCI bus. */
export function pciTree(address: string, vendor: string, driver: string | null, more: Tree = {}): Tree {
  const folder = `/sys/bus/pci/devices/${address}`;
  const below = Object.entries(more).map(([name, content]) => [`${folder}/${name}`, content] as const);
  return {
    [`${folder}/vendor`]: vendor,
    [`${folder}/device`]: "0x2330",
    [`${folder}/class`]: "0x030200",
    ...(driver !== null && { [`${folder}/driver`]: { link: `../../../../bus/pci/drivers/${driver}` } }),
    ...Object.fromEntries(below),
  };
}
