import {
  type Direction,
  markHost,
  nextHostOrder,
  nextZone,
  openTab,
  orderHosts,
  scrollBy,
  scrollPage,
  sortGpus,
  sortProcesses,
  turnTab,
} from "./choices.ts";
import type { Hits } from "./hits.ts";
import type { Choices, Zones } from "./model.ts";
import { faster, slower } from "./pace.ts";
import type { Player } from "./player.ts";
import type { Travel } from "./travel.ts";

/**
 * A key as the tables name it: the character that was typed, or `escape`, `enter`, `tab`, `shift+tab`, `up`,
 * `pagedown`, `home`, `ctrl+c`, … A space is a space.
 */
export type Key = string;

/** What keys act on. */
export interface Desk {
  readonly player: Player;
  readonly travel: Travel;
  readonly zones: Zones;
  choices: Choices;
  /** Where things are on the screen as it was drawn last. */
  readonly hits: Hits;
  say(note: string): void;
  quit(): void;
}

type Action = (desk: Desk) => void;
type KeyMap = ReadonlyMap<Key, Action>;

const SECOND_MS = 1000;

const choose =
  (change: (choices: Choices, desk: Desk) => Choices): Action =>
  (desk) => {
    desk.choices = change(desk.choices, desk);
  };

const arrow = (direction: Direction): Action =>
  choose((choices, { hits }) => {
    if (hits.hosts.length > 0) return markHost(choices, hits, direction);
    if (direction === "left" || direction === "right") return turnTab(choices, hits, direction === "left" ? -1 : 1);
    return scrollBy(choices, hits, direction === "up" ? -1 : 1);
  });

const openHelp = choose((choices) => ({ ...choices, isHelpOpen: true }));

const openEntry = (kind: "filter" | "goto"): Action =>
  choose((choices) => ({ ...choices, entry: { kind, text: kind === "filter" ? choices.filter : "", problem: null } }));

/** Escape gives up what takes long, else the filter, else the tab. */
function goBack(desk: Desk): void {
  const { choices, player, travel } = desk;
  if (player.isTravelling) {
    player.cancel();
    if (player.shown === null) travel.first();
  } else if (choices.filter !== "") desk.choices = { ...choices, filter: "", scroll: 0 };
  else desk.choices = openTab(choices, null);
}

const byUtilization = (choices: Choices, { hits }: Desk): Choices =>
  hits.hosts.length > 0 ? orderHosts(choices, "utilization") : sortGpus(choices, "utilization");

/** Everywhere. */
const COMMON_KEYS: KeyMap = new Map<Key, Action>([
  ["q", (desk) => desk.quit()],
  ["ctrl+c", (desk) => desk.quit()],
  ["?", openHelp],
  ["h", openHelp],
  ["/", openEntry("filter")],
  ["escape", goBack],
  ["tab", choose((choices, { hits }) => turnTab(choices, hits, 1))],
  ["shift+tab", choose((choices, { hits }) => turnTab(choices, hits, -1))],
  ["enter", choose((choices, { hits }) => (hits.hosts.length > 0 ? openTab(choices, choices.marked) : choices))],
  ["up", arrow("up")],
  ["down", arrow("down")],
  ["left", arrow("left")],
  ["right", arrow("right")],
  ["pageup", choose((choices, { hits }) => scrollPage(choices, hits, -1))],
  ["pagedown", choose((choices, { hits }) => scrollPage(choices, hits, 1))],
  ["d", choose((choices) => orderHosts(sortGpus(sortProcesses(choices, "default"), "default"), "default"))],
  ["u", choose(byUtilization)],
  ["G", choose((choices) => sortGpus(sortProcesses(choices, "gpu_memory"), "memory"))],
  ["p", choose((choices) => sortProcesses(choices, "pid"))],
  ["c", choose((choices) => sortProcesses(choices, "cpu"))],
  ["m", choose((choices) => sortProcesses(choices, "memory"))],
  ["o", choose(nextHostOrder)],
  ["f", choose((choices) => ({ ...choices, onlyGpuProcesses: !choices.onlyGpuProcesses, scroll: 0 }))],
  ["z", choose((choices, { zones }) => nextZone(choices, zones))],
]);

const STEP_KEYS: readonly [Key, Action][] = [
  [" ", ({ player }) => player.toggle()],
  ["]", ({ travel }) => travel.step(1)],
  ["[", ({ travel }) => travel.step(-1)],
];

const changeSpeed =
  (next: (speed: number) => number): Action =>
  ({ player }) => {
    player.speed = next(player.speed);
  };

const jump =
  (by_ms: number): Action =>
  ({ travel }) =>
    travel.by(by_ms);

const toEvent =
  (direction: 1 | -1): Action =>
  ({ travel, say }) =>
    say(travel.toEvent(direction));

const tenths: readonly [Key, Action][] = Array.from({ length: 10 }, (_, tenth) => [
  String(tenth),
  ({ travel }) => travel.go({ kind: "share", share: tenth / 10 }),
]);

const REPLAY_KEYS: KeyMap = new Map<Key, Action>([
  ...STEP_KEYS,
  ["+", changeSpeed(faster)],
  ["=", changeSpeed(faster)],
  ["-", changeSpeed(slower)],
  ["j", jump(-10 * SECOND_MS)],
  ["k", jump(10 * SECOND_MS)],
  ["{", jump(-60 * SECOND_MS)],
  ["}", jump(60 * SECOND_MS)],
  ["L", ({ player }) => player.toggleLoop()],
  ["g", openEntry("goto")],
  ["n", toEvent(1)],
  ["N", toEvent(-1)],
  ["home", ({ travel }) => travel.first()],
  ["end", ({ travel }) => travel.last()],
  ...tenths,
]);

const LIVE_KEYS: KeyMap = new Map<Key, Action>([...STEP_KEYS, ["end", ({ player }) => player.follow()]]);

/** What a key does; `null` where it does nothing. */
export const actionOf = (key: Key, isLive: boolean): Action | null =>
  (isLive ? LIVE_KEYS : REPLAY_KEYS).get(key) ?? COMMON_KEYS.get(key) ?? null;
