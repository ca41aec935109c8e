import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../package.json";

const project = resolve(import.meta.dir, "..");
/** npm unpacks Bun (100 MB) for each of these. */
const TIMEOUT_MS = 120_000;

let folder: string;
let tarball: string;
let npmCache: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "package-")));
  const packed = Bun.spawnSync(["npm", "pack", "--silent", "--pack-destination", folder], { cwd: project });
  expect(packed.exitCode).toBe(0);
  tarball = join(folder, readdirSync(folder)[0] ?? "");
  npmCache = Bun.spawnSync(["npm", "config", "get", "cache"]).stdout.toString().trim();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the package holds the program and no tests", () => {
  const files = Bun.spawnSync(["tar", "-tf", tarball]).stdout.toString().trim().split("\n");
  expect(files).toContain("package/bin/all-smi");
  expect(files).toContain("package/scripts/find-bun.sh");
  expect(files).toContain("package/src/cli/main.ts");
  expect(files.filter((file) => file.includes(".test.") || file.startsWith("package/test/"))).toEqual([]);
});

for (const scripts of ["with", "without"]) {
  test(
    `npx runs it in an empty folder, ${scripts} install scripts`,
    () => {
      const cwd = join(folder, scripts);
      mkdirSync(cwd);
      const options = scripts === "with" ? [] : ["--ignore-scripts"];
      // npx leaves what it installed in npm's cache: here in one of our own, which shares the downloads.
      mkdirSync(join(cwd, "cache"));
      symlinkSync(join(npmCache, "_cacache"), join(cwd, "cache/_cacache"));
      const command = ["npx", "--yes", "--prefer-offline", `--cache=${cwd}/cache`, ...options, `--package=${tarball}`];
      const { exitCode, stdout, stderr } = Bun.spawnSync([...command, "all-smi", "--version"], { cwd });
      expect({ exitCode, stdout: stdout.toString(), stderr: stderr.toString() }).toMatchObject({
        exitCode: 0,
        stdout: `${version}\n`,
      });
    },
    TIMEOUT_MS,
  );
}
