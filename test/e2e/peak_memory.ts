/**
 * Runs a command and writes to a file how much memory it held at most, in bytes: `bun peak_memory.ts FILE COMMAND…`. In
 * a process of its own, as the kernel counts what a parent has held as held by those that it starts.
 */
import { writeFileSync } from "node:fs";

const [file = "", ...command] = process.argv.slice(2);
const child = Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] });
const code = await child.exited;
writeFileSync(file, `${child.resourceUsage()?.maxRSS}`);
process.exit(code);
