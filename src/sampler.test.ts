import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Clock, machineClock } from "./clock.ts";
import type { Frame } from "./frame/frame.ts";
import { type CycleOutcome, Sampler, type SamplerOptions } from "./sampler.ts";
import type { Cycle, Reading, Source } from "./sources/source.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only while everybody waits for it, from one moment that somebody waits for to the next. */
class SimulatedClock implements Clock {
  #monotonic_ms = 98_765.25;
  #wall_ms = Date.UTC(2026, 3, 18, 12);
  #boottime_ms = 500_000;
  readonly #waiting = new Set<{ at_ms: number; done: () => void }>();

  wall = () => this.#wall_ms;
  monotonic = () => this.#monotonic_ms;
  boottime = () => this.#boottime_ms;

  until = (at_ms: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      signal.removeEventListener("abort", done);
      this.#waiting.delete(one);
      resolve();
    };
    const one = { at_ms, done };
    this.#waiting.add(one);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
    return promise;
  };

  after = (ms: number, signal: AbortSignal): Promise<void> => this.until(this.#monotonic_ms + ms, signal);

  /** Passes without anybody being able to do anything. */
  block(ms: number): void {
    this.#monotonic_ms += ms;
    this.#wall_ms += ms;
    this.#boottime_ms += ms;
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#wall_ms += ms;
  }

  suspend(ms: number): void {
    this.#wall_ms += ms;
    this.#boottime_ms += ms;
  }

  /** Lets time pass until the work is done. */
  async run(work: Promise<void>): Promise<void> {
    let isDone = false;
    work.finally(() => {
      isDone = true;
    });
    for (await settled(); !isDone; await settled()) {
      const [next] = [...this.#waiting].sort((a, b) => a.at_ms - b.at_ms);
      if (next === undefined) throw new Error("nobody waits for anything");
      this.block(Math.max(0, next.at_ms - this.#monotonic_ms));
      next.done();
    }
    await work;
  }
}

type Read = (cycle: Cycle, call: number) => Reading | Promise<Reading>;

/** A source that counts its calls. */
function source(name: string, read: Read, fromTwoReadings = false): Source & { readonly calls: number[] } {
  const calls: number[] = [];
  return {
    name,
    calls,
    fromTwoReadings,
    read(cycle) {
      calls.push(cycle.monotonic_ms);
      return read(cycle, calls.length - 1);
    },
  };
}

interface Run {
  readonly frames: Frame[];
  /** When each frame was handed on, since the first cycle began. */
  readonly handed_ms: number[];
  readonly end_ms: number;
}

type Options = Partial<SamplerOptions> & Pick<SamplerOptions, "sources" | "interval_ms" | "duration_ms">;

async function run(clock: SimulatedClock, options: Options, each: (frame: Frame) => void = () => {}): Promise<Run> {
  const frames: Frame[] = [];
  const handed: number[] = [];
  const sampler = new Sampler({ include: [], hostname: "a", source: "local", clock, ...options });
  const begun = clock.monotonic() + (options.sources.some((one) => one.fromTwoReadings) ? 250 : 0);
  await clock.run(
    sampler.run(new AbortController().signal, (frame) => {
      frames.push(frame);
      handed.push(clock.monotonic() - begun);
      each(frame);
    }),
  );
  return { frames, handed_ms: handed, end_ms: clock.monotonic() - begun };
}

const nothing: Read = () => ({});
const never: Read = () => new Promise<Reading>(() => {});
const errorsOf = (frames: readonly Frame[]): string[][] => frames.map(({ errors }) => errors);

describe("the grid", () => {
  test("does not drift over 10,000 cycles, however long they take", async () => {
    const clock = new SimulatedClock();
    const slow = source("slow", async ({ signal }, call) => {
      await clock.after((call * 37) % 79, signal);
      return {};
    });
    const { frames, end_ms } = await run(clock, { sources: [slow], interval_ms: 100, duration_ms: 1_000_000 });
    expect(frames.length).toBe(10_000);
    const [first] = frames;
    for (const [n, { seq, elapsed_ms, t_ms, errors }] of frames.entries()) {
      const expected = { seq: n, elapsed_ms: n * 100, t_ms: (first?.t_ms ?? 0) + n * 100, errors: [] };
      expect<object>({ seq, elapsed_ms, t_ms, errors }).toEqual(expected);
    }
    expect(end_ms).toBe(1_000_000);
  });

  test("skips the slots that a late cycle passed, and says so", async () => {
    const clock = new SimulatedClock();
    const blocking = source("blocking", (_, call) => {
      if (call === 3) clock.block(2500);
      if (call === 5) clock.block(1500);
      return {};
    });
    const { frames } = await run(clock, { sources: [blocking], interval_ms: 1000, duration_ms: 11_000 });
    expect(frames.map(({ elapsed_ms }) => elapsed_ms)).toEqual([0, 1000, 2000, 3000, 6000, 7000, 9000, 10_000]);
    expect(errorsOf(frames).flat()).toEqual(["sampler: 2 cycles skipped", "sampler: 1 cycle skipped"]);
    expect(frames[4]?.errors).toHaveLength(1);
  });

  test("never bunches cycles up: at least 80 % of the interval lies between two", async () => {
    const blocks = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5000, noNaN: true })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(blocks, async (blocks_ms) => {
        const clock = new SimulatedClock();
        const begun_ms = clock.monotonic();
        const blocking = source("blocking", (_, call) => {
          clock.block(blocks_ms[call] ?? 0);
          return {};
        });
        const { frames } = await run(clock, { sources: [blocking], interval_ms: 1000, duration_ms: 50_000 });
        let slot = -1;
        for (const [n, { errors }] of frames.entries()) {
          const skipped = Number(/^sampler: (\d+) cycles? skipped$/.exec(errors[0] ?? "")?.[1] ?? 0);
          slot += 1 + skipped;
          const late_ms = (blocking.calls[n] ?? 0) - begun_ms - slot * 1000;
          expect(late_ms).toBeGreaterThanOrEqual(-1e-6);
          expect(late_ms).toBeLessThanOrEqual(200 + 1e-6);
          if (n > 0) expect((blocking.calls[n] ?? 0) - (blocking.calls[n - 1] ?? 0)).toBeGreaterThan(800 - 1e-6);
        }
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [30_000, 3000, 10],
    [29_999, 3000, 10],
    [30_001, 3000, 11],
    [1, 3000, 1],
    [700, 100, 7],
  ])("%d ms in steps of %d are %d frames", async (duration_ms, interval_ms, count) => {
    const { frames, end_ms } = await run(new SimulatedClock(), { sources: [], interval_ms, duration_ms });
    expect(frames.length).toBe(count);
    expect(end_ms).toBe(duration_ms);
  });

  test("runs on the machine's clock", async () => {
    const frames: Frame[] = [];
    const options = { include: [], hostname: "a", source: "local", interval_ms: 100, duration_ms: 500 } as const;
    const sampler = new Sampler({ ...options, sources: [source("a", nothing)], clock: machineClock });
    await sampler.run(new AbortController().signal, (frame) => frames.push(frame));
    // The machine's clock may well be set meanwhile; that has a test of its own.
    const errors = errorsOf(frames)
      .flat()
      .filter((text) => !text.startsWith("clock: "));
    const skipped = errors.map((text) => Number(/^sampler: (\d+) cycles? skipped$/.exec(text)?.[1]));
    const slots = frames.length + skipped.reduce((sum, n) => sum + n, 0);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n));
    expect([1, 2, 3, 4, 5]).toContain(slots);
    for (const [n, { elapsed_ms }] of frames.entries()) {
      expect(elapsed_ms).toBeGreaterThan(n === 0 ? -1 : (frames[n - 1]?.elapsed_ms ?? 0));
    }
  });
});

describe("a source", () => {
  test.each([
    [3000, 2400],
    [100, 80],
    [6250, 5000],
    [60_000, 5000],
  ])("has, at %d ms, until %d ms to answer", async (interval_ms, deadline_ms) => {
    const clock = new SimulatedClock();
    let aborted_ms = -1;
    const begun_ms = clock.monotonic();
    const hung = source("hung", ({ signal }) => {
      signal.addEventListener("abort", () => {
        aborted_ms = clock.monotonic() - begun_ms;
      });
      return new Promise<Reading>(() => {});
    });
    const { handed_ms, frames } = await run(clock, { sources: [hung], interval_ms, duration_ms: 1 });
    expect([handed_ms, aborted_ms]).toEqual([[deadline_ms], deadline_ms]);
    expect(errorsOf(frames)).toEqual([["hung: late, has not answered"]]);
  });

  test("that answers at once does not make the cycle wait", async () => {
    const { handed_ms } = await run(new SimulatedClock(), {
      ...{ sources: [source("a", nothing)], interval_ms: 1000, duration_ms: 2000 },
    });
    expect(handed_ms).toEqual([0, 1000]);
  });

  test("that hangs is late in every frame, is not started again, and costs the others nothing", async () => {
    const hung = source("hung", never);
    const cpu = source("cpu", () => ({ gpus: [], errors: ["cpu: no temperature"] }));
    const { frames } = await run(new SimulatedClock(), {
      ...{ sources: [hung, cpu], interval_ms: 1000, duration_ms: 5000 },
    });
    expect(hung.calls.length).toBe(1);
    expect(cpu.calls.length).toBe(5);
    for (const { errors } of frames) expect(errors).toEqual(["hung: late, has not answered", "cpu: no temperature"]);
  });

  test("that was late is asked again once it has answered, and the late answer is thrown away", async () => {
    const clock = new SimulatedClock();
    const lifetime = new AbortController();
    const slow = source("slow", async (_, call) => {
      if (call === 1) await clock.after(2300, lifetime.signal);
      return { errors: [`slow: answer ${call}`] };
    });
    const { frames } = await run(clock, { sources: [slow], interval_ms: 1000, duration_ms: 6000 });
    const late = "slow: late, has not answered";
    expect(errorsOf(frames)).toEqual([
      ["slow: answer 0"],
      ...[[late], [late], [late]],
      ["slow: answer 2"],
      ["slow: answer 3"],
    ]);
  });

  test("that rejects or throws is an error of its frame, in one line", async () => {
    const sources = [
      source("rejects", () => Promise.reject(new Error("first line\nsecond line"))),
      source("throws", (_, call) => {
        if (call === 0) throw new Error("not yet");
        return {};
      }),
      source("odd", () => Promise.reject("a text")),
    ];
    const { frames } = await run(new SimulatedClock(), { sources, interval_ms: 1000, duration_ms: 2000 });
    expect(errorsOf(frames)).toEqual([
      ["rejects: first line", "throws: not yet", "odd: a text"],
      ["rejects: first line", "odd: a text"],
    ]);
  });

  test("alone in failing or not: the cycle is still a frame, with the sections that were asked for", async () => {
    const { frames } = await run(new SimulatedClock(), {
      ...{ sources: [source("all", () => Promise.reject(new Error("gone")))], include: ["gpus", "memory"] },
      ...{ interval_ms: 1000, duration_ms: 1000, hostname: "b", source: "remote" },
    });
    expect(frames).toEqual([
      {
        ...{ t_ms: Date.UTC(2026, 3, 18, 12), seq: 0, elapsed_ms: 0, source: "remote", hostname: "b" },
        ...{ errors: ["all: gone"], gpus: [], memory: [] },
      },
    ]);
  });

  test("adds to what the sources before it gave", async () => {
    const scrape = (host: string) => ({ host, hostname: host, up: true, latency_ms: 1, error: null });
    const one = (host: string) => source(host, () => ({ gpus: [{ uuid: host } as never], scrapes: [scrape(host)] }));
    const { frames } = await run(new SimulatedClock(), {
      ...{ sources: [one("a"), one("b")], interval_ms: 1000, duration_ms: 1, include: ["gpus", "cpus"] },
    });
    const [frame] = frames;
    expect(frame?.gpus?.map(({ uuid }) => uuid)).toEqual(["a", "b"]);
    expect(frame?.scrapes?.map(({ host }) => host)).toEqual(["a", "b"]);
    expect([frame?.cpus, "events" in (frame ?? {})]).toEqual([[], false]);
  });

  test("whose rates come from two readings is read once more, before the first cycle", async () => {
    const clock = new SimulatedClock();
    const begun_ms = clock.monotonic();
    const rates = source("rates", nothing, true);
    const other = source("other", nothing);
    const { frames } = await run(clock, { sources: [rates, other], interval_ms: 1000, duration_ms: 2000 });
    expect(rates.calls.map((at_ms) => at_ms - begun_ms)).toEqual([0, 250, 1250]);
    expect(other.calls.map((at_ms) => at_ms - begun_ms)).toEqual([250, 1250]);
    expect(frames.map(({ seq, elapsed_ms }) => [seq, elapsed_ms])).toEqual([
      [0, 0],
      [1, 1000],
    ]);
  });

  test("is told which of its readings is only for rates", async () => {
    const told: (boolean | undefined)[] = [];
    const rates = source(
      "rates",
      ({ isOnlyForRates }) => {
        told.push(isOnlyForRates);
        return {};
      },
      true,
    );
    await run(new SimulatedClock(), { sources: [rates], interval_ms: 1000, duration_ms: 2000 });
    expect(told).toEqual([true, undefined, undefined]);
  });

  test("that hangs before the first cycle is late in it, and does not put it off for ever", async () => {
    const { frames } = await run(new SimulatedClock(), {
      ...{ sources: [source("rates", never, true)], interval_ms: 1000, duration_ms: 1000 },
    });
    expect(errorsOf(frames)).toEqual([["rates: late, has not answered"]]);
  });
});

describe("a frame that somebody waits for", () => {
  const late: Read = async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return {};
  };
  const awaited = { interval_ms: 1000, duration_ms: 3000, deadline_ms: 4000 };

  test("comes in time, but for the pause after its first reading for rates", async () => {
    const clock = new SimulatedClock();
    const begun_ms = clock.monotonic();
    const handed: number[] = [];
    await run(clock, { ...awaited, sources: [source("late", late, true)] }, () =>
      handed.push(clock.monotonic() - begun_ms),
    );
    expect(handed).toEqual([4250, 8250]);
  });

  test("has at least half of the time to itself", async () => {
    const waits: number[] = [];
    const other = source("other", ({ wait_ms }) => {
      waits.push(wait_ms);
      return {};
    });
    const sources = [source("late", late, true), other];
    await run(new SimulatedClock(), { ...awaited, sources, duration_ms: 2000, deadline_ms: 400 });
    expect(waits).toEqual([200, 400]);
  });

  test("is known as one by its sources, and others are not", async () => {
    const told: (boolean | undefined)[] = [];
    const asked = source("asked", ({ isAwaited }) => {
      told.push(isAwaited);
      return {};
    });
    const once = { interval_ms: 1000, duration_ms: 1, sources: [asked] };
    await run(new SimulatedClock(), { ...once, deadline_ms: 4000 });
    await run(new SimulatedClock(), once);
    expect(told).toEqual([true, undefined]);
  });
});

describe("clocks", () => {
  const after = (seq: number, happens: () => void) => (frame: Frame) => {
    if (frame.seq === seq) happens();
  };

  test.each([
    [-3_600_000, ["clock: stepped by -3600 s"]],
    [3_600_000, ["clock: stepped by 3600 s"]],
    [-1500, ["clock: stepped by -1.5 s"]],
    [900, []],
    [-900, []],
  ])("the wall clock steps by %d ms", async (step_ms, said) => {
    const clock = new SimulatedClock();
    const options = { sources: [], interval_ms: 1000, duration_ms: 4000 };
    const { frames } = await run(
      clock,
      options,
      after(1, () => clock.step(step_ms)),
    );
    expect(errorsOf(frames)).toEqual([[], [], said, []]);
    expect(frames.map(({ elapsed_ms }) => elapsed_ms)).toEqual([0, 1000, 2000, 3000]);
    const [first, , third] = frames;
    expect((third?.t_ms ?? 0) - (first?.t_ms ?? 0)).toBe(2000 + step_ms);
  });

  test("a suspended machine is said, and its sleep is counted", async () => {
    const clock = new SimulatedClock();
    const options = { sources: [], interval_ms: 1000, duration_ms: 4000 };
    const { frames } = await run(
      clock,
      options,
      after(1, () => clock.suspend(7_200_000)),
    );
    expect(errorsOf(frames)).toEqual([[], [], ["clock: machine was suspended for 7200 s"], []]);
    expect(frames.map(({ elapsed_ms }) => elapsed_ms)).toEqual([0, 1000, 7_202_000, 7_203_000]);
  });

  test("a machine that wakes to another time says both", async () => {
    const clock = new SimulatedClock();
    const options = { sources: [], interval_ms: 1000, duration_ms: 2000 };
    const { frames } = await run(
      clock,
      options,
      after(0, () => {
        clock.suspend(600_000);
        clock.step(-60_000);
      }),
    );
    expect(frames[1]?.errors).toEqual(["clock: machine was suspended for 600 s", "clock: stepped by -60 s"]);
    expect(frames[1]?.elapsed_ms).toBe(601_000);
  });

  test("a clock that is slewed is not stepped", async () => {
    const clock = new SimulatedClock();
    const options = { sources: [], interval_ms: 60_000, duration_ms: 6_000_000 };
    const { frames } = await run(clock, options, () => clock.step(30));
    expect(errorsOf(frames).flat()).toEqual([]);
  });
});

describe("an outcome", () => {
  test("says how long each source took, and whether it read everything", async () => {
    const clock = new SimulatedClock();
    const sources = [
      source("quick", nothing),
      source("slow", async ({ signal }) => clock.after(300, signal).then(() => ({}))),
      source("partial", async ({ signal }) =>
        clock.after(20, signal).then(() => ({ gpus: [], errors: ["partial: no"] })),
      ),
      source("broken", () => Promise.reject(new Error("broken"))),
      source("hung", never),
    ];
    const outcomes: CycleOutcome[] = [];
    const options = { include: [], hostname: "a", source: "local", interval_ms: 1000, duration_ms: 2000 } as const;
    const sampler = new Sampler({ ...options, sources, clock });
    await clock.run(sampler.run(new AbortController().signal, (_, outcome) => outcomes.push(outcome)));
    const expected = (duration_ms: number, hung_ms: number): CycleOutcome => ({
      duration_ms,
      sources: [
        { name: "quick", duration_ms: 0, isComplete: true },
        { name: "slow", duration_ms: 300, isComplete: true },
        { name: "partial", duration_ms: 20, isComplete: false },
        { name: "broken", duration_ms: 0, isComplete: false },
        { name: "hung", duration_ms: hung_ms, isComplete: false },
      ],
    });
    expect(outcomes).toEqual([expected(800, 800), expected(300, 1300)]);
  });
});

describe("an abort", () => {
  test("in the middle of a cycle ends it without a frame, and tells the source", async () => {
    const clock = new SimulatedClock();
    const stop = new AbortController();
    let wasTold = false;
    const hung = source("hung", async ({ signal }) => {
      signal.addEventListener("abort", () => {
        wasTold = true;
      });
      await clock.after(10, signal);
      stop.abort();
      return new Promise<Reading>(() => {});
    });
    const frames: Frame[] = [];
    const options = { include: [], hostname: "a", source: "local", interval_ms: 1000, duration_ms: 0, clock } as const;
    const begun_ms = clock.monotonic();
    await clock.run(new Sampler({ ...options, sources: [hung] }).run(stop.signal, (frame) => frames.push(frame)));
    expect([frames, wasTold, clock.monotonic() - begun_ms]).toEqual([[], true, 10]);
  });

  test("between two cycles ends at once, with the frames there are", async () => {
    const clock = new SimulatedClock();
    const stop = new AbortController();
    const frames: Frame[] = [];
    const options = { include: [], hostname: "a", source: "local", interval_ms: 1000, duration_ms: 60_000 } as const;
    const sampler = new Sampler({ ...options, sources: [source("a", nothing)], clock });
    const begun_ms = clock.monotonic();
    const running = sampler.run(stop.signal, (frame) => {
      frames.push(frame);
      if (frames.length === 3) clock.after(400, stop.signal).then(() => stop.abort());
    });
    await clock.run(running);
    expect([frames.length, clock.monotonic() - begun_ms]).toEqual([3, 2400]);
  });

  test("before anything leaves the sources alone", async () => {
    const never = source("a", nothing);
    const options = { include: [], hostname: "a", source: "local", interval_ms: 1000, duration_ms: 0 } as const;
    const sampler = new Sampler({ ...options, sources: [never], clock: new SimulatedClock() });
    await sampler.run(AbortSignal.abort(), () => {});
    expect(never.calls).toEqual([]);
  });
});

test("closing gives back what the sources hold", () => {
  let closed = 0;
  const one = { ...source("a", nothing), close: () => closed++ };
  const options = { include: [], hostname: "a", source: "local", interval_ms: 1000, duration_ms: 0 } as const;
  new Sampler({ ...options, sources: [one, source("b", nothing), one], clock: machineClock }).close();
  expect(closed).toBe(2);
});
