/** Draws the pictures in docs/screens: `npx bun scripts/screens.ts`. They are of the mock, and the same on every run. */
import { mkdirSync } from "node:fs";
import { toText } from "../src/view/ansi.ts";
import type { ViewInput } from "../src/view/model.ts";
import { makeTheme } from "../src/view/theme.ts";
import { CHOICES, drawn, inputOf, LIVE, mockFrames } from "../test/screen.ts";
import { toSvg } from "./svg.ts";

const FOLDER = `${import.meta.dir}/../docs/screens`;

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

const oneHost = mockFrames({ hosts: 1, gpus: 8, frames: 1200, interval_ms: 3000 });
const threeHosts = mockFrames({ hosts: 3, gpus: 8, frames: 360, interval_ms: 10_000 });
const hundredHosts = mockFrames({ hosts: 100, gpus: 8, frames: 60, interval_ms: 10_000 });

const screens: Readonly<Record<string, ViewInput>> = {
  host: inputOf(oneHost, 1190, { status: LIVE }),
  replay: inputOf(oneHost, 700),
  hosts: inputOf(threeHosts, 250, { choices: { ...CHOICES, marked: "mock-0002:9090" } }),
  cluster: inputOf(hundredHosts, 50, { status: LIVE, choices: { ...CHOICES, marked: "mock-0042:9090" } }),
  help: inputOf(oneHost, 700, { choices: { ...CHOICES, isHelpOpen: true } }),
};

mkdirSync(FOLDER, { recursive: true });
const theme = makeTheme("truecolor", "dark");
for (const [name, input] of Object.entries(screens)) {
  for (const [width, height] of SIZES) {
    const path = `${FOLDER}/${name}-${width}x${height}`;
    await Bun.write(`${path}.txt`, toText(drawn(input, width, height).cells));
    await Bun.write(`${path}.svg`, toSvg(drawn(input, width, height, theme).cells, "dark"));
  }
}
