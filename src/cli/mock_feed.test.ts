import { expect, test } from "bun:test";
import { createApp } from "../api/app.ts";
import type { Clock } from "../clock.ts";
import { decodeLine } from "../frame/decode.ts";
import { type MockMachine, mockMachines } from "../sources/mock/mock.ts";
import { MockFeed, Seconds } from "./mock_feed.ts";

const WALL_MS = Date.UTC(2026, 3, 18, 12) + 400;

/** Begins in the middle of a second; wakes who waits when it is set. */
class HandClock implements Clock {
  now_ms = 5000;
  readonly #waiting: { readonly at_ms: number; readonly wake: () => void }[] = [];

  wall = () => WALL_MS + this.now_ms - 5000;
  monotonic = () => this.now_ms;
  boottime = () => this.now_ms;

  until(at_ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ at_ms, wake: resolve });
    return promise;
  }

  set(now_ms: number): void {
    this.now_ms = now_ms;
    for (const { at_ms, wake } of this.#waiting) if (at_ms <= now_ms) wake();
  }
}

function open() {
  const clock = new HandClock();
  const [machine] = mockMachines({ hosts: 1, gpus: 1, seed: 1, include: ["gpus", "memory"] }) as [MockMachine];
  const readings: number[] = [];
  const counted: MockMachine = {
    hostname: machine.hostname,
    read: (moment) => {
      readings.push(moment.t_ms);
      return machine.read(moment);
    },
  };
  const feed = new MockFeed(counted, new Seconds(clock));
  const build = { version: "1.2.3", os: "linux", arch: "x86_64" };
  const app = createApp({ feed, hostname: machine.hostname, build, token: null, tell: () => {} });
  return { clock, feed, app, readings };
}

const SECOND_0_MS = WALL_MS - 400;

test("a node is read once a second, however often it is asked, and not when nobody asks", async () => {
  const { clock, app, readings } = open();
  expect(readings).toEqual([]);
  for (const at_ms of [5000, 5599]) {
    clock.set(at_ms);
    for (const path of ["/snapshot", "/metrics", "/snapshot?include=gpu"]) {
      expect((await app.request(path)).status).toBe(200);
    }
  }
  expect(readings).toEqual([SECOND_0_MS]);
  clock.set(9700);
  await app.request("/snapshot");
  expect(readings).toEqual([SECOND_0_MS, SECOND_0_MS + 5000]);
});

test("its frames count the seconds and have their time", async () => {
  const { clock, app } = open();
  clock.set(7650);
  const line = decodeLine(await (await app.request("/snapshot")).text());
  if (line.kind !== "frame") throw new Error(line.kind);
  const { t_ms, seq, elapsed_ms, hostname, source, gpus } = line.frame;
  expect({ t_ms, seq, elapsed_ms, hostname, source }).toEqual({
    t_ms: SECOND_0_MS + 3000,
    seq: 3,
    elapsed_ms: 3000,
    hostname: "mock-0001",
    source: "local",
  });
  expect(gpus).toHaveLength(1);
});

test("the event stream has a frame of each second, and says which were missed", async () => {
  const { clock, app } = open();
  const { body } = await app.request("/events?include=memory");
  if (body === null) throw new Error("no body");
  const texts = body.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await texts.read()).value ?? "";
  expect(await next()).toStartWith("retry:");
  expect(await next()).toMatch(/^event: snapshot\nid: 0-\d+\ndata: \{/);
  const coming = next();
  clock.set(5600);
  expect(await coming).toMatch(/^event: snapshot\nid: 1-/);
  clock.set(9600);
  expect(await next()).toBe('event: lag\ndata: {"dropped":3}\n\n');
  expect(await next()).toMatch(/^event: snapshot\nid: 5-/);
  await texts.cancel();
});
