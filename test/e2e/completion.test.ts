import { describe, expect, test } from "bun:test";
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

interface Case {
  readonly what: string;
  /** What is typed, with tabs. */
  readonly typed: string;
  readonly becomes: string;
}

const CASES: readonly Case[] = [
  { what: "a command", typed: "rec\t", becomes: "record " },
  { what: "an option", typed: "view --repl\t", becomes: "view --replay" },
  { what: "a choice", typed: "record --compress g\t", becomes: "record --compress gzip" },
  { what: "a choice after =", typed: "snapshot --format=prom\t", becomes: "snapshot --format=prometheus" },
  { what: "a file", typed: "view --replay \t", becomes: "view --replay a\\ night.ndjson" },
  { what: "a file as argument, after an option", typed: "info --json a\t", becomes: "info --json a\\ night.ndjson" },
  { what: "an argument's choice", typed: "completion f\t", becomes: "completion fish" },
  { what: "no file where a number is wanted", typed: "record --interval \t5", becomes: "record --interval 5" },
  { what: "no option of another command", typed: "info --repl\ty", becomes: "info --reply" },
];

/** How an interactive shell is started that reads nothing of whoever runs the tests, and made to complete. */
const INTERACTIVE: Readonly<Record<string, { readonly command: readonly string[]; readonly prepare: string }>> = {
  bash: { command: ["bash", "--norc", "--noprofile", "-i"], prepare: "" },
  zsh: { command: ["zsh", "-f", "-i"], prepare: "autoload -U compinit && compinit -u -D && " },
};

for (const [shell, { command, prepare }] of Object.entries(INTERACTIVE)) {
  describe.skipIf(Bun.which(shell) === null)(shell, () => {
    for (const { what, typed, becomes } of CASES) {
      test(`completes ${what}`, async () => {
        const path = await scriptOf(shell);
        const pty = new Pty(command, { env: { PS1: "> ", HISTFILE: "" } });
        await pty.untilText(/^> $/m);
        pty.type(`${prepare}source '${path}' && cd '${here}' && clear\n`);
        await pty.until("a cleared screen", ({ rows }) => rows[0] === "> " || rows[0] === ">");
        pty.type(`all-smi ${typed}`);
        await pty.untilText(`> all-smi ${becomes.trimEnd()}`);
        pty.child.kill("SIGKILL");
      });
    }
  });
}

describe.skipIf(Bun.which("fish") === null)("fish", () => {
  for (const { what, typed, becomes } of CASES) {
    test(`completes ${what}`, async () => {
      const path = await scriptOf("fish");
      const [before = "", after = ""] = typed.split("\t");
      const ask = `source '${path}'; cd '${here}'; complete -C 'all-smi ${before}'`;
      const { out } = await start(["fish", "--no-config", "-c", ask]).ended;
      const offered = out.split("\n").map((line) => line.split("\t")[0] ?? "");
      const last = becomes
        .trimEnd()
        .replaceAll("\\", "")
        .replace(/^.* (?=\S+$)/, "");
      if (after === "") expect(offered).toContainEqual(expect.stringContaining(last));
      else expect(offered.join("")).toBe("");
    });
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
