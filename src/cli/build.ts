import { version } from "../../package.json";
import type { Build } from "../api/rows.ts";

const MACHINES: { readonly [arch: string]: string } = { x64: "x86_64", arm64: "aarch64" };

/** This program, with the machine's name for its processor architecture (`uname -m`). */
export const build: Build = {
  version,
  os: process.platform,
  arch: MACHINES[process.arch] ?? process.arch,
};
