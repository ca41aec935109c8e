/** What drawing a screen costs: CPU time a frame, as a view that plays would spend it. */
import { toAnsi, toText } from "../src/view/ansi.ts";
import { Cells } from "../src/view/cells.ts";
import { draw } from "../src/view/draw.ts";
import type { ViewInput } from "../src/view/model.ts";
import { makeTheme } from "../src/view/theme.ts";
import { CHOICES, inputOf, mockFrames } from "../test/screen.ts";

const ROUNDS = 300;
const theme = makeTheme("truecolor", "dark");

const msOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

function cost(work: () => void): string {
  for (let i = 0; i < ROUNDS / 3; i++) work();
  const before = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) work();
  return `${(msOf(process.cpuUsage(before)) / ROUNDS).toFixed(2)} ms`;
}

function row(screen: string, input: ViewInput, width: number, height: number) {
  const cells = new Cells(width, height);
  return {
    screen: `${screen} ${width}x${height}`,
    draw: cost(() => draw(cells, input, theme)),
    "to text": cost(() => toText(cells)),
    "to text with colours": cost(() => toAnsi(cells, "truecolor")),
  };
}

const one = inputOf(mockFrames({ hosts: 1, gpus: 8, frames: 400, interval_ms: 3000 }), 250);
const many = inputOf(mockFrames({ hosts: 100, gpus: 8, frames: 12, interval_ms: 3000 }), 11);
const tab = { ...many, choices: { ...CHOICES, host: "mock-0042:9090" } };

console.table([
  row("host", one, 80, 24),
  row("host", one, 160, 50),
  row("host", one, 300, 100),
  row("100 hosts", many, 160, 50),
  row("a tab of 100 hosts", tab, 160, 50),
]);
