import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";

const project = resolve(import.meta.dir, "..");

/** What each folder of src/ (or file directly in it) may import of the others. What is missing here is an error. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | "everything">> = {
  errors: [],
  frame: [],
  libc: [],
  clock: ["libc"],
  events: ["frame"],
  sources: ["errors", "frame", "clock", "libc"],
  sampler: ["errors", "frame", "sources", "clock"],
  recording: ["errors", "frame", "events", "clock", "libc"],
  view: ["errors", "frame", "events", "recording", "clock"],
  api: ["errors", "frame", "events", "recording", "clock"],
  web: ["frame"],
  doctor: ["errors", "frame", "sources", "recording", "clock", "libc"],
  cli: "everything",
};

/**
 * frame/, events/ and the reading half of recording/ can be imported in Node too. These files of recording/ are the
 * writing half: they may use Bun, and the rest may not import them.
 */
const WRITING_HALF: readonly string[] = [
  "recording/active_segment.ts",
  "recording/closed_segments.ts",
  "recording/lock.ts",
  "recording/open.ts",
  "recording/recorder.ts",
];

/** Use the global `Bun` inside a function that only the writing half calls, so that importing them needs no Bun. */
const BUN_WHEN_CALLED: readonly string[] = ["recording/xxhash64.ts"];

/** May import `bun:` modules. */
const BUN_MODULES: readonly string[] = ["libc.ts", "sources/gpu/"];

interface Source {
  readonly path: string;
  readonly text: string;
  /** As written, without the files of node_modules. */
  readonly imports: readonly string[];
}

const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Static, type-only and dynamic imports. */
function importsOf(text: string): string[] {
  const written = text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"/gm);
  return [...new Set([...transpiler.scanImports(text).map((i) => i.path), ...Array.from(written, (m) => m[1] ?? "")])];
}

const sources: readonly Source[] = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(join(project, "src"))]
  .filter((path) => !path.endsWith(".test.ts"))
  .map((path) => {
    const text = readFileSync(join(project, "src", path), "utf8");
    return { path, text, imports: importsOf(text) };
  });

const partOf = (path: string): string => (path.split("/")[0] ?? "").replace(/\.tsx?$/, "");

/** Those of our own files that this one imports, from src/ on. */
function ownImports({ path, imports }: Source): string[] {
  return imports
    .filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(path), name)))
    .filter((name) => !name.startsWith(".."));
}

const runsInNode = ({ path }: Source): boolean =>
  ["errors", "frame", "events", "recording"].includes(partOf(path)) && !WRITING_HALF.includes(path);

function offenders(find: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`));
}

test("the scan sees every kind of import", () => {
  const text = `import a from "./a.ts";\nimport type { B } from "./b.ts";\nexport * from "./c.ts";
import {\n  type D,\n} from "./d.ts";\nconst e = await import("./e.ts"); import "./f.ts"; e(a);`;
  expect(importsOf(text).sort()).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts"]);
  expect(sources.length).toBeGreaterThan(10);
});

test("the arrows between the folders go one way", () => {
  const forbidden = offenders((source) => {
    const part = partOf(source.path);
    const allowed = MAY_IMPORT[part];
    if (allowed === undefined) return ["is in no known folder"];
    if (allowed === "everything") return [];
    return ownImports(source).filter((name) => partOf(name) !== part && !allowed.includes(partOf(name)));
  });
  expect(forbidden).toEqual([]);
});

test("a replay loads no source, whatever the machine", () => {
  const loaded = new Set<string>(["cli/view_replay.ts"]);
  for (const path of loaded) {
    const source = sources.find((one) => one.path === path);
    // Types are no code: what only they need is not loaded.
    const imports = source === undefined ? [] : transpiler.scanImports(source.text).map((one) => one.path);
    for (const name of source === undefined ? [] : ownImports({ ...source, imports })) loaded.add(name);
  }
  expect([...loaded]).toContain("view/terminal.ts");
  expect([...loaded].filter((path) => ["sources", "sampler"].includes(partOf(path)))).toEqual([]);
});

test("frame/ imports nothing at all", () => {
  expect(
    offenders((source) =>
      partOf(source.path) === "frame" ? source.imports.filter((n) => !/^\.\/|^node:/.test(n)) : [],
    ),
  ).toEqual([]);
});

test("reading a recording needs no Bun", () => {
  const forbidden = offenders((source) => {
    if (!runsInNode(source)) return [];
    const foreign = source.imports.filter((name) => !name.startsWith(".") && !name.startsWith("node:"));
    const bound = ownImports(source).filter((name) => {
      const target = sources.find(({ path }) => path === name);
      return target !== undefined && !runsInNode(target);
    });
    const code = transpiler.transformSync(source.text);
    const global = /\bBun\./.test(code) && !BUN_WHEN_CALLED.includes(source.path) ? ["uses the global Bun"] : [];
    return [...foreign, ...bound, ...global];
  });
  expect(forbidden).toEqual([]);
});

test("bun: modules are imported in few places", () => {
  const mayUse = (path: string) => BUN_MODULES.some((place) => path === place || path.startsWith(place));
  expect(
    offenders(({ path, imports }) => (mayUse(path) ? [] : imports.filter((name) => name.startsWith("bun:")))),
  ).toEqual([]);
});

test("no file names the folder of this checkout", () => {
  if (project.split("/").length < 3) return;
  const { exitCode, stdout } = Bun.spawnSync(["git", "grep", "-lF", `${project}/`], { cwd: project });
  expect({ exitCode, files: stdout.toString() }).toEqual({ exitCode: 1, files: "" });
});

test("the lockfile binds nobody to a registry", () => {
  expect(readFileSync(join(project, "package-lock.json"), "utf8")).not.toContain('"resolved"');
});

/** `npm ci` refuses a lockfile without them, and `npm install` leaves out those that a registry does not offer. */
test("the lockfile has every package that is needed on any platform", () => {
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const packages: Record<string, { dependencies?: object; optionalDependencies?: object }> = lock.packages;
  /** A package has those that it needs in its own folder, or in one further up. */
  const isThere = (path: string, name: string): boolean =>
    packages[`${path ? `${path}/` : ""}node_modules/${name}`] !== undefined ||
    (path !== "" && isThere(path.slice(0, Math.max(0, path.lastIndexOf("node_modules/") - 1)), name));
  const missing = Object.entries(packages).flatMap(([path, one]) =>
    Object.keys({ ...one.dependencies, ...one.optionalDependencies }).filter((name) => !isThere(path, name)),
  );
  expect(missing).toEqual([]);
});
