import { oneLine } from "../../src/errors.ts";
import { openReplay } from "../../src/recording/replay.ts";
import { App } from "../../src/view/app.ts";
import { Terminal } from "../../src/view/terminal.ts";
import { makeTheme } from "../../src/view/theme.ts";

/** A view that crashes with the first key, in the place that is named. */
const [where, path] = process.argv.slice(2);
const crash = () => {
  throw new Error(`crashed in a ${where}`);
};

class Crashing extends App {
  override key(): void {
    if (where === "key") crash();
    else if (where === "timer") setTimeout(crash);
    else Promise.reject(new Error(`crashed in a ${where}`));
  }
}

const { cursor } = await openReplay(path ?? "", false);
const app = new Crashing({
  cursor,
  isLive: false,
  interval_ms: 1000,
  zones: { viewer: "UTC", recorder: null },
  speed: 1,
  isLoop: false,
  isPaused: true,
  start: null,
  warning: null,
  theme: makeTheme("truecolor", "dark"),
  openTerminal: (listener) => Terminal.open("truecolor", listener),
});
try {
  await app.run();
} catch (error) {
  console.error(`all-smi: ${oneLine(error)}`);
  process.exit(1);
}
