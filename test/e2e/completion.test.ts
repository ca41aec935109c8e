import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SHELLS } from "../../src/cli/completion.ts";
import { Pty } from "./pty.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();
/** The only file there is to complete. */
const here = join(folder, "here");
mkdirSync(here);
writeFileSync(join(here, "a night.ndjson"), "");

async function scriptOf(shell: string): Promise<string> {
  const path = join(folder, `completion.${shell}`);
  const { code, out } = await start([...PROGRAM, "completion", shell]).ended;
  expect(code).toBe(0);
  writeFileSync(path, out);
  return path;
}

/** What is typed after `all-smi`, with a tab, and what becomes of it. */
const CASES: Readonly<Record<string, readonly [typed: string, becomes: string]>> = {
  "a command": ["rec\t", "record"],
  "an option of view without a command": ["--repl\t", "--replay"],
  "a file without a command": ["--replay \t", "--replay a\\ night.ndjson"],
  "a choice without a command, after another option": ["--once --source m\t", "--once --source mock"],
  "an option of the program": ["--vers\t", "--version"],
  "an option": ["view --repl\t", "view --replay"],
  "a choice": ["record --compress g\t", "record --compress gzip"],
  "a choice after =": ["snapshot --format=prom\t", "snapshot --format=prometheus"],
  "a word of a list": ["record --include st\t", "record --include storage"],
  "a word of a list after a comma": ["view --include gpu,pro\t", "view --include gpu,process"],
  "a word of a list after = and a comma": ["api --include=gpu,cpu,c\t", "api --include=gpu,cpu,chassis"],
  "one of what makes sense": ["view --speed 3\t", "view --speed 32"],
  "a source": ["record --source m\t", "record --source mock"],
  "no word of a list twice": ["record --include cpu,c\t", "record --include cpu,chassis"],
  "a file": ["view --replay \t", "view --replay a\\ night.ndjson"],
  "a file as argument, after an option": ["info --json a\t", "info --json a\\ night.ndjson"],
  "an argument's choice": ["completion f\t", "completion fish"],
  "no file where a number is wanted": ["record --interval \t5", "record --interval 5"],
  "no option of another command": ["info --repl\ty", "info --reply"],
};

const CLEAR_LINE = "\x15";

/** Started so that nothing of whoever runs the tests is read. */
async function interactive(command: readonly string[], prepare: string): Promise<Pty> {
  const pty = new Pty(command, { env: { PS1: "> ", HISTFILE: "" } });
  await pty.untilText(/^> $/m);
  pty.type(`${prepare} && cd '${here}' && clear\n`);
  await pty.until("a cleared screen", ({ rows }) => rows[0]?.trimEnd() === ">");
  return pty;
}

for (const [what, [typed, becomes]] of Object.entries(CASES)) {
  test(`bash completes ${what}`, async () => {
    const pty = await interactive(["bash", "--norc", "--noprofile", "-i"], `source '${await scriptOf("bash")}'`);
    pty.type(`all-smi ${typed}`);
    await pty.untilText(`> all-smi ${becomes}`);
  });
}

test.skipIf(Bun.which("zsh") === null)("zsh completes the same", async () => {
  const prepare = `autoload -U compinit && compinit -u -D && source '${await scriptOf("zsh")}'`;
  const pty = await interactive(["zsh", "-f", "-i"], prepare);
  for (const [typed, becomes] of Object.values(CASES)) {
    pty.type(`all-smi ${typed}`);
    await pty.untilText(`> all-smi ${becomes}`);
    pty.type(CLEAR_LINE);
  }
});

test.skipIf(Bun.which("fish") === null)("fish offers the same", async () => {
  const path = await scriptOf("fish");
  for (const [typed, becomes] of Object.values(CASES)) {
    const [before = "", after = ""] = typed.split("\t");
    const ask = `source '${path}'; cd '${here}'; complete -C 'all-smi ${before}'`;
    const { out } = await start(["fish", "--no-config", "-c", ask]).ended;
    const offered = out.split("\n").map((line) => line.split("\t")[0] ?? "");
    const last = becomes.replaceAll("\\", "").split(" ").at(-1);
    if (after === "") expect(offered).toContainEqual(expect.stringContaining(last ?? ""));
    else expect(offered.join("")).toBe("");
    expect(offered.filter((word) => /\b(\w+),(?:.*,)?\1$/.test(word))).toEqual([]);
  }
});

test("every shell gets every command", async () => {
  const { out: help } = await start([...PROGRAM, "--help"]).ended;
  const commands = Array.from(help.matchAll(/^ {2}([a-z]+) .*\w/gm), (match) => match[1] ?? "");
  expect(commands).toContain("view");
  for (const shell of SHELLS) {
    const { out } = await start([...PROGRAM, "completion", shell]).ended;
    expect(commands.filter((command) => !new RegExp(`\\b${command}\\b`).test(out))).toEqual([]);
  }
});

test("an unknown shell is an error", async () => {
  const { code, err } = await start([...PROGRAM, "completion", "csh"]).ended;
  expect(code).toBe(2);
  expect(err).toContain("bash, zsh, fish");
});
