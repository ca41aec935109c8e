import { expect, test } from "bun:test";
import { codeOfProgram } from "./program_pages.ts";

const MAPS = `00200000-01a41000 r--p 00000000 fe:00 131 /opt/all smi/bun
01a41000-0684b000 r-xp 01840000 fe:00 131 /opt/all smi/bun
0684b000-06861000 rw-p 06649000 fe:00 131 /opt/all smi/bun
7f10aa000000-7f10ea000000 rwxp 00000000 00:00 0
7f10f4428000-7f10f457e000 r-xp 00028000 fe:00 977 /usr/lib/libc.so.6
7ffd5a5e1000-7ffd5a5e3000 r-xp 00000000 00:00 0 [vdso]
`;

test("only the code of the program itself is named", () => {
  const code = [{ address: 0x01a41000, lengthBytes: 0x0684b000 - 0x01a41000 }];
  expect(codeOfProgram(MAPS, "/opt/all smi/bun")).toEqual(code);
  expect(codeOfProgram(MAPS, "")).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "code that was given back still runs, and less of it is resident",
  async () => {
    const script = `
    const { readFileSync } = require("node:fs");
    const { forgetStartupCode } = await import(process.argv[1]);
    const file = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "latin1"))[1]);
    const before = file();
    forgetStartupCode();
    console.log(JSON.stringify({ before, after: file() }));`;
    const run = Bun.spawn([process.execPath, "-e", script, `${import.meta.dir}/program_pages.ts`], {
      stderr: "inherit",
    });
    const kilobytes: { before: number; after: number } = JSON.parse(await new Response(run.stdout).text());
    expect(await run.exited).toBe(0);
    expect(kilobytes.after).toBeLessThan(kilobytes.before);
  },
);
