import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const project = resolve(import.meta.dir, "..");

/** Stands for the program: says what it was given. */
const PROBE = `console.log(JSON.stringify({ arguments: process.argv.slice(2), pid: process.pid, cwd: process.cwd(),
  main: import.meta.path, preloaded: "preloaded" in globalThis, fromDotEnv: process.env.FROM_DOT_ENV ?? null }));
process.exit(7);`;

/** Stands for npm: notes that it ran, waits for the file \`gate\` where it was told to, and installs Bun as a link. */
const NPM = `#!/bin/sh
echo "$*" >>npm.log
echo "npm's own words"
while [ -e closed ]; do sleep 0.02; done
mkdir -p node_modules/bun node_modules/.bin node_modules/@oven/bun-test/bin
ln -sf "${process.execPath}" node_modules/@oven/bun-test/bin/bun
: >node_modules/.bin/tsc
: >node_modules/.package-lock.json
`;

let folder: string;
let tools: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "launcher-")));
  tools = join(folder, "tools");
  put(join(tools, "npm"), NPM, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** The program's files as git or npm puts them down, without any node_modules. */
function program(root: string): string {
  for (const part of ["bin", "scripts"]) cpSync(join(project, part), join(root, part), { recursive: true });
  put(join(root, "src/cli/main.ts"), PROBE);
  put(join(root, "package-lock.json"), "{}");
  return root;
}

function clone(root = join(folder, "clone")): string {
  mkdirSync(join(root, ".git"), { recursive: true });
  return program(root);
}

/** Bun as npm leaves it in the node_modules folder given where install scripts do not run. */
function bunIn(modules: string): void {
  put(join(modules, "bun/bin/bun.exe"), 'echo "stub" >&2\nexit 1\n', 0o755);
  link(process.execPath, join(modules, "@oven/bun-test/bin/bun"));
}

function installed(root = join(folder, "installed/node_modules/all-smi")): string {
  bunIn(join(program(root), "node_modules"));
  return root;
}

interface Options {
  readonly cwd?: string;
  readonly path?: string;
}

function start(command: readonly string[], { cwd = folder, path = process.env.PATH ?? "" }: Options = {}) {
  const env = { ...process.env, PATH: `${tools}:${path}` };
  return Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

async function outcome(process: ReturnType<typeof start>) {
  const [stdout, stderr] = await Promise.all([process.stdout.text(), process.stderr.text()]);
  return { status: await process.exited, stdout, stderr, pid: process.pid };
}

const run = (command: readonly string[], options?: Options) => outcome(start(command, options));
const launcher = (root: string) => join(root, "bin/all-smi");
const npmRuns = (root: string) =>
  existsSync(join(root, "npm.log")) ? readFileSync(join(root, "npm.log"), "utf8").split("\n").length - 1 : 0;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}

test("hands over arguments, folder and status, and becomes the program", async () => {
  const words = ["--version", "a b", "", "*", "-o", "$HOME"];
  const { status, stdout, pid } = await run([launcher(installed()), ...words]);
  expect(status).toBe(7);
  expect(JSON.parse(stdout)).toMatchObject({ arguments: words, cwd: folder, pid });
});

test("obeys no bunfig.toml, .env or tsconfig.json of the folder one stands in", async () => {
  const cwd = join(folder, "elsewhere");
  const root = installed();
  const plain = () => run([process.execPath, join(root, "src/cli/main.ts")], { cwd });
  put(join(cwd, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  put(join(cwd, "preload.ts"), "globalThis.preloaded = true;");
  put(join(cwd, ".env"), "FROM_DOT_ENV=1\n");
  expect(JSON.parse((await plain()).stdout)).toMatchObject({ preloaded: true, fromDotEnv: "1" });
  put(join(cwd, "tsconfig.json"), '{"compilerOptions":{"paths":{"*":["./impostor.ts"]}}}');
  put(join(cwd, "impostor.ts"), 'console.log("impostor");');
  expect((await plain()).stdout).toBe("impostor\n");
  const { stdout } = await run([launcher(root)], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ preloaded: false, fromDotEnv: null });
});

test("finds itself behind links, on PATH and beside the current folder", async () => {
  const root = installed();
  const main = join(root, "src/cli/main.ts");
  const npmLink = join(root, "../.bin/all-smi");
  link("../all-smi/bin/all-smi", npmLink);
  const twice = join(folder, "usr/bin/all-smi");
  link(npmLink, twice);
  const linkedFolder = join(folder, "opt/smi");
  link(join(root, "bin"), linkedFolder);
  for (const command of [npmLink, twice, join(linkedFolder, "all-smi")]) {
    expect(JSON.parse((await run([command])).stdout)).toMatchObject({ main });
  }
  const onPath = await run(["sh", "-c", "all-smi"], { path: `${dirname(twice)}:${process.env.PATH}` });
  expect(JSON.parse(onPath.stdout)).toMatchObject({ main });
  const bare = await run(["sh", "all-smi"], { cwd: join(root, "bin") });
  expect(JSON.parse(bare.stdout)).toMatchObject({ main });
});

test("finds Bun wherever a package manager puts it", async () => {
  const layouts: Record<string, (root: string) => void> = {
    beside: (root) => bunIn(join(root, "..")),
    shared: (root) => bunIn(join(root, "../../..")),
    pnpm: (root) => {
      bunIn(join(folder, "store/node_modules"));
      link(join(folder, "store/node_modules/bun"), join(root, "../bun"));
    },
    "moved by the install script": (root) => {
      mkdirSync(join(root, "node_modules/@oven/bun-test/bin"), { recursive: true });
      link(process.execPath, join(root, "node_modules/bun/bin/bun.exe"));
    },
  };
  for (const [name, layOut] of Object.entries(layouts)) {
    const root = program(join(folder, name, "node_modules/host/node_modules/all-smi"));
    layOut(root);
    expect(await run([launcher(root)])).toMatchObject({ status: 7, stderr: "" });
  }
});

test("says in one line that there is no Bun for this platform", async () => {
  const root = program(join(folder, "node_modules/all-smi"));
  put(join(root, "node_modules/bun/bin/bun.exe"), 'echo "stub" >&2\n', 0o755);
  const { status, stdout, stderr } = await run([launcher(root)]);
  expect({ status, stdout, lines: stderr.trim().split("\n").length }).toEqual({ status: 1, stdout: "", lines: 1 });
  expect(stderr).toContain("no Bun for this platform");
  expect(npmRuns(root)).toBe(0);
});

test("runs nothing that lies beside a clone", async () => {
  const root = clone(join(folder, "shared/all-smi"));
  put(join(root, "node_modules/.package-lock.json"), "{}");
  bunIn(join(folder, "shared"));
  bunIn(join(folder, "shared/node_modules"));
  expect((await run([launcher(root)])).status).toBe(1);
});

test("sets up a clone once, and again when the lockfile is newer", async () => {
  const root = clone();
  const first = await run([launcher(root)]);
  expect(first).toMatchObject({ status: 7, stderr: "all-smi: setting up this clone (npm ci)\n" });
  expect(JSON.parse(first.stdout)).toMatchObject({ arguments: [] });
  expect(await run([launcher(root)])).toMatchObject({ status: 7, stderr: "" });
  expect(npmRuns(root)).toBe(1);
  const tomorrow = new Date(Date.now() + 86_400_000);
  utimesSync(join(root, "package-lock.json"), tomorrow, tomorrow);
  expect(await run([launcher(root)])).toMatchObject({ status: 7, stderr: first.stderr });
  expect(await run([launcher(root)])).toMatchObject({ status: 7, stderr: "" });
  expect(npmRuns(root)).toBe(2);
});

test("several starts at once set up once", async () => {
  const root = clone();
  const starts = Array.from({ length: 6 }, () => run([launcher(root)]));
  for (const { status, stdout } of await Promise.all(starts)) {
    expect(status).toBe(7);
    expect(stdout.trim().split("\n")).toHaveLength(1);
  }
  expect(npmRuns(root)).toBe(1);
});

test("a killed start leaves npm to its work, and nobody blocked", async () => {
  const root = clone();
  put(join(root, "closed"), "");
  const killed = start([launcher(root)]);
  await until(() => npmRuns(root) === 1);
  killed.kill("SIGKILL");
  await killed.exited;
  const second = start([launcher(root)]);
  const words = second.stderr.getReader();
  expect(new TextDecoder().decode((await words.read()).value)).toContain("waiting for another start");
  rmSync(join(root, "closed"));
  expect(await second.exited).toBe(7);
  expect(npmRuns(root)).toBe(1);
});

test("an npm that was killed is run again by the next start", async () => {
  const root = clone();
  put(
    join(tools, "npm"),
    NPM.replace("mkdir", () => "kill -KILL $$; mkdir"),
    0o755,
  );
  expect((await run([launcher(root)])).status).toBe(1);
  put(join(tools, "npm"), NPM, 0o755);
  expect((await run([launcher(root)])).status).toBe(7);
});

test("shows npm's words when it fails, on stderr, with status 1", async () => {
  const root = clone();
  put(join(tools, "npm"), "#!/bin/sh\necho 'no such host'\nexit 3\n", 0o755);
  const { status, stdout, stderr } = await run([launcher(root)]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain("no such host\n");
  expect(stderr).toMatch(/all-smi: npm ci failed in .*\n$/);
});

test("says that npm is missing", async () => {
  const root = clone();
  rmSync(join(tools, "npm"));
  for (const tool of ["sh", "dirname"]) link(Bun.which(tool) ?? "", join(folder, "few", tool));
  const { status, stderr } = await run([launcher(root)], { path: join(folder, "few") });
  expect({ status, lines: stderr.trim().split("\n").length }).toEqual({ status: 1, lines: 1 });
  expect(stderr).toContain("npm is missing");
});
