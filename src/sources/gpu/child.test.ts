import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChildOptions, type ProcessControl, processState, SupervisedChild } from "./child.ts";

setDefaultTimeout(60_000);

const children: SupervisedChild[] = [];
const pids: number[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.close();
  for (const pid of pids.splice(0)) kill(pid);
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {}
}

/** A real control with a clock that stands until it is set. */
function controlled(more: Partial<ProcessControl> = {}) {
  const clock = { now_ms: 0 };
  const control: ProcessControl = {
    now_ms: () => clock.now_ms,
    kill: (child) => child.kill("SIGKILL"),
    state: processState,
    ...more,
  };
  return { clock, control };
}

interface Watched {
  readonly child: SupervisedChild;
  readonly lines: string[];
  readonly messages: unknown[];
  readonly ends: string[];
}

function supervise(command: readonly string[], control?: ProcessControl, more: Partial<ChildOptions> = {}): Watched {
  const lines: string[] = [];
  const messages: unknown[] = [];
  const ends: string[] = [];
  const options: ChildOptions = {
    command,
    onLine: (line) => lines.push(line),
    onEnd: (why) => ends.push(why),
    ...more,
  };
  const child = new SupervisedChild(options, control);
  children.push(child);
  return { child, lines, messages, ends };
}

const shell = (script: string): string[] => ["sh", "-c", script];

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5);
}

const pidIn = (line: string | undefined): number => {
  const pid = Number(/pid (\d+)/.exec(line ?? "")?.[1]);
  pids.push(pid);
  return pid;
};

const endings: [script: string, why: string][] = [
  ["kill -SEGV $$", "crashed (signal SIGSEGV)"],
  ["exit 139", "crashed (signal SIGSEGV)"],
  ["kill -KILL $$", "was killed (signal SIGKILL)"],
  ["exit 143", "was killed (signal SIGTERM)"],
  ["exit 0", "ended with status 0"],
  ["echo first >&2; echo; printf 'no \\033[2Jdriver\\n\\n' >&2; exit 3", "ended with status 3: no  [2Jdriver"],
];
test.each(endings)("%p is told as %p", async (script, why) => {
  const { child, ends } = supervise(shell(script));
  child.start();
  await until(() => ends.length > 0);
  expect(ends).toEqual([why]);
  expect(child.isRunning).toBe(false);
});

test("what cannot be started is told, and tried again", () => {
  const { clock, control } = controlled();
  const { child, ends } = supervise(["/does/not/exist"], control);
  child.start();
  child.start();
  expect(ends.length).toBe(1);
  expect(ends[0]).toStartWith("cannot be started: ");
  clock.now_ms = 1000;
  child.start();
  expect(ends.length).toBe(2);
});

const deaf: [name: string, script: string][] = [
  ["ignores SIGTERM", "trap '' TERM; echo pid $$; while :; do sleep 1; done"],
  ["is stopped", "echo pid $$; kill -STOP $$; echo woken"],
];
test.each(deaf)("one that %s is killed when it does not do what is expected", async (_, script) => {
  const { child, ends, lines } = supervise(shell(script));
  child.start();
  await until(() => lines.length > 0);
  const pid = pidIn(lines[0]);
  child.expect(30, "said nothing");
  await until(() => ends.length > 0);
  expect(ends).toEqual(["said nothing"]);
  expect(processState(pid)).toBeNull();
  expect(lines.length).toBe(1);
});

test("one that does in time what is expected lives on", async () => {
  const { child, ends, lines } = supervise(shell("echo up; exec sleep 1000"));
  child.start();
  child.expect(60_000, "slow");
  await until(() => lines.length > 0);
  child.met();
  child.expect(20, "slow");
  child.met();
  // One of which the same is expected later, and that does not do it, is killed by then.
  const other = supervise(shell("exec sleep 1000"));
  other.child.start();
  other.child.expect(20, "slow");
  await until(() => other.ends.length > 0);
  expect(child.isRunning).toBe(true);
  expect(ends).toEqual([]);
});

test("one that only wants a CPU gets five times as long", async () => {
  let asked = 0;
  const { control } = controlled({
    state: () => {
      asked++;
      return "R";
    },
  });
  const { child, ends } = supervise(shell("exec sleep 1000"), control);
  child.start();
  child.expect(5, "spins");
  await until(() => ends.length > 0);
  expect(ends).toEqual(["spins"]);
  expect(asked).toBe(5);
});

test("waits a second before it starts again, then two, up to a minute, and anew after one that was stable", async () => {
  const { clock, control } = controlled();
  const { child, ends } = supervise(shell("exit 1"), control);
  for (const delay_ms of [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    clock.now_ms += delay_ms - 1;
    child.start();
    expect(child.isRunning).toBe(delay_ms === 0);
    clock.now_ms += 1;
    child.start();
    expect(child.isRunning).toBe(true);
    const count = ends.length;
    await until(() => ends.length > count);
  }
  clock.now_ms += 60_000;
  const stable = supervise(shell("echo pid $$; exec sleep 1000"), control);
  for (const delay_ms of [0, 1000]) {
    clock.now_ms += delay_ms;
    stable.child.start();
    await until(() => stable.lines.length > stable.ends.length);
    clock.now_ms += 60_000;
    stable.child.kill("enough");
    await until(() => stable.ends.length === stable.lines.length);
    expect(stable.child.isRunning).toBe(false);
  }
});

test("one that outlives SIGKILL is given up; no other is started while it lives", async () => {
  const { clock, control } = controlled({ kill: () => {} });
  const { child, ends, lines } = supervise(shell("echo pid $$; exec sleep 1000"), control);
  child.start();
  await until(() => lines.length > 0);
  const pid = pidIn(lines[0]);
  child.kill("said nothing");
  expect(child.stuckPid).toBeNull();
  await until(() => ends.length > 0);
  expect(ends).toEqual(["said nothing"]);
  expect(child.stuckPid).toBe(pid);
  clock.now_ms += 1_000_000;
  child.start();
  expect(child.isRunning).toBe(false);
  expect(lines.length).toBe(1);

  kill(pid);
  await until(() => child.stuckPid === null);
  child.start();
  await until(() => lines.length > 1);
  expect(pidIn(lines[1])).not.toBe(pid);
  expect(ends.length).toBe(1);
});

test("neither a child that runs, nor one that cannot be killed, keeps this process from ending", async () => {
  const module = join(import.meta.dir, "child.ts");
  const script = `
    const { SupervisedChild, processState } = await import(${JSON.stringify(module)});
    const control = { now_ms: () => performance.now(), kill: () => {}, state: processState };
    const options = { command: ["sh", "-c", "echo pid $$; exec sleep 1000"], onMessage() {}, onEnd() {} };
    const first = Promise.withResolvers();
    const stuck = new SupervisedChild({ ...options, onLine: first.resolve }, control);
    stuck.start();
    const second = Promise.withResolvers();
    const running = new SupervisedChild({ ...options, onLine: second.resolve }, control);
    running.start();
    const waiting = setInterval(() => {}, 1000);
    console.log(await first.promise);
    console.log(await second.promise);
    clearInterval(waiting);
    stuck.close();
    running.expect(1000, "slow");`;
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, "-e", script]);
  const said = stdout.toString().trim().split("\n");
  expect(said.length).toBe(2);
  const states = said.map((line) => processState(pidIn(line)));
  expect(exitCode).toBe(0);
  // They were left to live.
  expect(states.every((state) => state !== null && state !== "Z")).toBe(true);
});

test("messages go both ways; those of one that was killed are not heard any more", async () => {
  const messages: unknown[] = [];
  const echo = "process.on('message', (m) => process.send({ echo: m }));";
  const { child, ends } = supervise([process.execPath, "-e", echo], undefined, {
    onMessage: (message) => messages.push(message),
  });
  child.start();
  child.send({ n: 1 });
  await until(() => messages.length > 0);
  expect(messages).toEqual([{ echo: { n: 1 } }]);
  child.send({ n: 2 });
  child.kill("enough");
  child.send({ n: 3 });
  await until(() => ends.length > 0);
  expect(messages.length).toBe(1);
});

test("lines come whole, however they were written", async () => {
  const { child, lines } = supervise(shell("printf 'a,'; sleep 0.05; printf 'b\\r\\n\\nc\\n'; printf 'no end'"));
  child.start();
  await until(() => lines.length >= 3);
  expect(lines).toEqual(["a,b", "", "c"]);
});

test("a state is told whatever the process is called", () => {
  expect(processState(process.pid)).toBe("R");
  expect(readFileSync(`/proc/${process.pid}/stat`, "latin1")).toContain(") R ");
  expect(processState(2 ** 31 - 1)).toBeNull();
});
