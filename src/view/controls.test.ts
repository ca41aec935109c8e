import { expect, test } from "bun:test";
import { MemoryCursor } from "../../test/memory_cursor.ts";
import { settled, TestClock } from "../../test/view_clock.ts";
import type { Frame } from "../frame/frame.ts";
import { Controls, type MouseInput } from "./controls.ts";
import { type Hits, noHits } from "./hits.ts";
import type { Choices } from "./model.ts";
import { Player } from "./player.ts";
import { Travel } from "./travel.ts";

const START_MS = Date.UTC(2026, 3, 18, 12);

const frameAt = (elapsed_ms: number, seq: number): Frame => ({
  t_ms: START_MS + elapsed_ms,
  seq,
  elapsed_ms,
  source: "local",
  hostname: "dgx-01",
  errors: [],
});

async function desk({ isLive = false, recorder = null as string | null, hits = {} as Partial<Hits> } = {}) {
  const cursor = new MemoryCursor(Array.from({ length: 101 }, (_, n) => frameAt(n * 1000, n)));
  const said: string[] = [];
  let quits = 0;
  let changes = 0;
  const onChange = () => {
    changes++;
  };
  const clock = new TestClock();
  const player = new Player(cursor, {
    ...{ speed: 1, isLoop: false, isPlaying: false, isLive, interval_ms: 1000, clock, onChange },
    onJump: () => {},
    onError: (error) => {
      throw error;
    },
  });
  const travel = new Travel(player, cursor, clock, (note) => said.push(note));
  const controls = new Controls({
    ...{ player, travel, zones: { viewer: "UTC", recorder }, isLive, onChange },
    say: (note) => said.push(note),
    quit: () => {
      quits++;
    },
  });
  controls.hits = { ...noHits(), ...hits };
  travel.first();
  await settled();
  const press = async (...keys: string[]): Promise<Choices> => {
    for (const key of keys) controls.key(key);
    await settled();
    return controls.choices;
  };
  const type = (text: string) => press(...text);
  const mouse = async (kind: MouseInput["kind"], x: number, y: number, rows = 0): Promise<Choices> => {
    controls.mouse({ kind, x, y, rows });
    await settled();
    return controls.choices;
  };
  return { controls, cursor, player, press, type, mouse, said, quits: () => quits, changes: () => changes };
}

const region = (x: number, y: number, width: number) => ({ x, y, width, height: 1 });

/** An overview of five hosts in two columns, the second of which is shorter. */
const OVERVIEW: Partial<Hits> = {
  hosts: [
    { host: "a", ...region(0, 5, 20) },
    { host: "b", ...region(0, 6, 20) },
    { host: "c", ...region(0, 7, 20) },
    { host: "d", ...region(30, 5, 20) },
    { host: "e", ...region(30, 6, 20) },
  ],
  hostOrder: ["a", "b", "c", "d", "e"],
  tabs: [
    { host: null, ...region(1, 0, 3) },
    { host: "b", ...region(6, 0, 3) },
  ],
  headers: [
    { table: "hosts", order: "trouble", ...region(60, 4, 8) },
    { table: "processes", sort: "pid", ...region(70, 4, 5) },
    { table: "gpus", sort: "memory", ...region(80, 4, 5) },
  ],
  scrubber: region(10, 30, 101),
  scrolled: { total: 50, first: 0, visible: 10, ...region(0, 10, 80) },
};

test("arrows mark the neighbour on the overview, Enter opens it, Escape comes back", async () => {
  const { press } = await desk({ hits: OVERVIEW });
  const marked: (string | null)[] = [];
  for (const key of ["down", "down", "down", "right", "up", "left", "right", "right"]) {
    marked.push((await press(key)).marked);
  }
  expect(marked).toEqual(["a", "b", "c", "e", "d", "a", "d", "d"]);
  expect((await press("enter")).host).toBe("d");
  const back = await press("escape");
  expect([back.host, back.marked]).toEqual([null, "d"]);
});

test("tabs go round, and nowhere where there is one host", async () => {
  const { press } = await desk({ hits: { hostOrder: ["a", "b"] } });
  const visited: (string | null)[] = [];
  for (const key of ["tab", "right", "tab", "shift+tab", "left", "shift+tab"]) visited.push((await press(key)).host);
  expect(visited).toEqual(["a", "b", null, "b", "a", null]);
  const single = await desk({ hits: { hostOrder: ["a"] } });
  expect((await single.press("tab", "right")).host).toBeNull();
});

test("sort keys: a second time the other way round, d as before", async () => {
  const { press } = await desk();
  const sorted = ({ processSort, isDescending, gpuSort }: Choices) => [processSort, isDescending, gpuSort];
  expect(sorted(await press("c"))).toEqual(["cpu", true, "default"]);
  expect(sorted(await press("c"))).toEqual(["cpu", false, "default"]);
  expect(sorted(await press("m"))).toEqual(["memory", true, "default"]);
  expect(sorted(await press("p"))).toEqual(["pid", false, "default"]);
  expect(sorted(await press("p"))).toEqual(["pid", true, "default"]);
  expect(sorted(await press("G"))).toEqual(["gpu_memory", true, "memory"]);
  expect(sorted(await press("u"))).toEqual(["gpu_memory", true, "utilization"]);
  expect(sorted(await press("d"))).toEqual(["default", true, "default"]);
});

test("on the overview u orders the hosts, o goes through the orders, d gives them back", async () => {
  const { press } = await desk({ hits: OVERVIEW });
  expect((await press("u")).hostOrder).toBe("utilization");
  expect((await press("u")).hostOrder).toBe("default");
  const orders: string[] = [];
  for (let n = 0; n < 5; n++) orders.push((await press("o")).hostOrder);
  expect(orders).toEqual(["trouble", "utilization", "name", "given", "default"]);
  expect((await press("o", "d")).hostOrder).toBe("default");
});

test("z goes through the zones that there are", async () => {
  const zonesOf = async (recorder: string | null) => {
    const { press } = await desk({ recorder });
    const zones: string[] = [];
    for (let n = 0; n < 3; n++) zones.push((await press("z")).zone);
    return zones;
  };
  expect(await zonesOf("Asia/Seoul")).toEqual(["recorder", "utc", "viewer"]);
  expect(await zonesOf(null)).toEqual(["utc", "viewer", "utc"]);
  expect(await zonesOf("UTC")).toEqual(["utc", "viewer", "utc"]);
});

test("the filter applies while it is typed; Enter keeps it, Escape takes it away", async () => {
  const { press, type, controls } = await desk();
  await type("/pyt");
  expect([controls.choices.filter, controls.choices.entry?.text]).toEqual(["pyt", "pyt"]);
  await press("backspace");
  expect(controls.choices.filter).toBe("py");
  // Keys that mean something elsewhere are letters here.
  await type("qj? ");
  expect(controls.choices.filter).toBe("pyqj? ");
  await press("enter");
  expect([controls.choices.filter, controls.choices.entry]).toEqual(["pyqj? ", null]);
  await press("/", "ctrl+w");
  expect(controls.choices.filter).toBe("pyqj? ".replace(/\S*\s*$/, ""));
  controls.paste("tor\x1b[31mch\nrun");
  expect(controls.choices.filter).toBe("tor[31mch");
  await press("escape");
  expect([controls.choices.filter, controls.choices.entry]).toEqual(["", null]);
  await type("/x");
  await press("enter", "escape");
  expect(controls.choices.filter).toBe("");
});

test("an entry has an end, and keys without a meaning leave it as it is", async () => {
  const { press, controls } = await desk();
  await press("/", "up", "f5", "alt+a");
  expect(controls.choices.entry?.text).toBe("");
  controls.paste("x".repeat(10_000));
  expect(controls.choices.filter.length).toBe(200);
});

test("a timecode: nonsense keeps the entry open with a word why, until it is mended", async () => {
  const { press, type, controls, player } = await desk();
  await type("gxyz");
  await press("enter");
  expect([controls.choices.entry?.text, controls.choices.entry?.problem]).toEqual([
    "xyz",
    expect.stringContaining("try"),
  ]);
  await press("backspace");
  expect(controls.choices.entry?.problem).toBeNull();
  await press("ctrl+u");
  await type("@12:00:42");
  await press("enter");
  expect([controls.choices.entry, player.shown?.place_ms]).toEqual([null, 42_000]);
  await type("g9");
  await press("escape");
  expect([controls.choices.entry, player.shown?.place_ms]).toEqual([null, 42_000]);
});

test("help: any key closes it and does nothing else, but q leaves", async () => {
  const { press, controls, player, quits } = await desk();
  expect((await press("?")).isHelpOpen).toBe(true);
  await press("]");
  expect([controls.choices.isHelpOpen, player.shown?.place_ms]).toEqual([false, 0]);
  await press("h", "q");
  expect(quits()).toBe(1);
});

test("Ctrl-C leaves from everywhere", async () => {
  const { press, quits } = await desk();
  await press("ctrl+c", "/", "ctrl+c", "escape", "?", "ctrl+c");
  expect(quits()).toBe(3);
});

test("scrolling: by rows, by pages, by the wheel, never beyond the ends", async () => {
  const { press, mouse } = await desk({ hits: { scrolled: OVERVIEW.scrolled ?? null } });
  const scrolls: number[] = [];
  for (const key of ["up", "down", "down", "up", "pagedown", "pageup", "pageup"])
    scrolls.push((await press(key)).scroll);
  expect(scrolls).toEqual([0, 1, 2, 1, 10, 1, 0]);
  expect((await mouse("scroll", 0, 0, 3)).scroll).toBe(3);
  expect((await mouse("scroll", 0, 0, 300)).scroll).toBe(40);
  expect((await mouse("scroll", 0, 0, -3)).scroll).toBe(37);
});

test("what filled the screen less than before is scrolled from where it ends", async () => {
  const { controls, press } = await desk({ hits: { scrolled: OVERVIEW.scrolled ?? null } });
  controls.choices = { ...controls.choices, scroll: 40 };
  controls.hits = { ...noHits(), scrolled: { total: 15, first: 5, visible: 10, ...region(0, 10, 80) } };
  expect((await press("up")).scroll).toBe(4);
});

test("the mouse: tabs, hosts, headers", async () => {
  const { mouse } = await desk({ hits: OVERVIEW });
  expect((await mouse("down", 7, 0)).host).toBe("b");
  expect((await mouse("down", 1, 0)).host).toBeNull();
  expect((await mouse("down", 35, 6)).host).toBe("e");
  expect((await mouse("down", 61, 4)).hostOrder).toBe("trouble");
  expect((await mouse("down", 61, 4)).hostOrder).toBe("default");
  const pid = await mouse("down", 74, 4);
  expect([pid.processSort, pid.isDescending]).toEqual(["pid", false]);
  expect((await mouse("down", 84, 4)).gpuSort).toBe("memory");
  const before = await mouse("down", 200, 200);
  expect(before.gpuSort).toBe("memory");
});

test("the scrubber: its first and last column are the ends, and a drag may leave it", async () => {
  const { mouse, player } = await desk({ hits: OVERVIEW });
  const places: (number | undefined)[] = [];
  const at = async (kind: MouseInput["kind"], x: number, y: number) => {
    await mouse(kind, x, y);
    places.push(player.shown?.place_ms);
  };
  await at("down", 110, 30);
  await at("drag", 60, 2);
  await at("drag", -5, -5);
  await at("drag", 500, 50);
  await at("up", 500, 50);
  await at("drag", 20, 30);
  expect(places).toEqual([100_000, 50_000, 0, 100_000, 100_000, 100_000]);
  await at("drag", 20, 30);
  await at("down", 35, 30);
  expect(places.slice(-2)).toEqual([100_000, 25_000]);
});

test("a timecode outside of the recording goes to its nearest end, and that is said", async () => {
  const { type, press, player, said } = await desk();
  await type("g01:40");
  await press("enter");
  expect(said).toEqual([]);
  await type("g99:00:00");
  await press("enter");
  expect(player.shown?.place_ms).toBe(100_000);
  await type("g@11:00");
  await press("enter");
  expect(player.shown?.place_ms).toBe(0);
  expect(said).toEqual(["after the end: the last frame is shown", "before the beginning: the first frame is shown"]);
});

test("Escape gives up what takes long before it changes what is shown", async () => {
  const { press, cursor, player, controls } = await desk({ hits: { hostOrder: ["a", "b"] } });
  await press("tab");
  const slow = Promise.withResolvers<void>();
  cursor.gate = slow.promise;
  await press("5");
  expect(player.isTravelling).toBe(true);
  await press("escape");
  slow.resolve();
  await settled();
  expect([player.isTravelling, player.shown?.place_ms, controls.choices.host]).toEqual([false, 0, "a"]);
  await press("escape");
  expect(controls.choices.host).toBeNull();
});

test("what changes nothing draws nothing", async () => {
  const { press, mouse, changes } = await desk({ hits: { hostOrder: ["a"] } });
  const before = changes();
  await press("tab", "enter", "x", "f12", "escape");
  await mouse("down", 3, 3);
  await mouse("up", 3, 3);
  expect(changes()).toBe(before);
});

test("live, the keys of replay are none, and End goes to now", async () => {
  const { press, player } = await desk({ isLive: true });
  await press("end");
  expect([player.shown?.place_ms, player.state]).toEqual([100_000, "playing"]);
  await press("g", "5", "j", "L", "n", "home", "+");
  expect([player.shown?.place_ms, player.state, player.speed, player.isLoop]).toEqual([100_000, "playing", 1, false]);
  await press("[");
  expect([player.shown?.place_ms, player.state]).toEqual([99_000, "paused"]);
});
