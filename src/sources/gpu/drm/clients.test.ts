import { afterAll, afterEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { cycleAt, PATIENT_MS } from "../../../../test/fixtures/machines/cycle.ts";
import { type Machine, openMachine } from "../../../../test/fixtures/machines/make.ts";
import { FileThreads } from "../../file_threads.ts";
import type { Cycle } from "../../source.ts";
import { busiest, DrmClients, type DrmUse } from "./clients.ts";
import { PatientFiles } from "./patient_files.ts";

const CARD = "0000:03:00.0";

interface Opened {
  readonly id?: number;
  readonly pci?: string;
  readonly driver?: string;
  readonly node?: string;
  /** Lines of it. */
  readonly says?: string;
}

let machine: Machine = openMachine(null);
afterEach(() => {
  machine[Symbol.dispose]();
  machine = openMachine(null);
});
afterAll(() => machine[Symbol.dispose]());

/** A process that has opened a DRM file. */
function open(
  pid: number,
  fd: number,
  { id = 1, pci = CARD, driver = "amdgpu", node = "renderD128", says = "" }: Opened,
) {
  mkdirSync(`${machine.root}/proc/${pid}/fd`, { recursive: true });
  rmSync(`${machine.root}/proc/${pid}/fd/${fd}`, { force: true });
  symlinkSync(`/dev/dri/${node}`, `${machine.root}/proc/${pid}/fd/${fd}`);
  machine.write(`/proc/${pid}/fdinfo/${fd}`, fdinfo({ id, pci, driver, says }));
}

const fdinfo = ({ id = 1, pci = CARD, driver = "amdgpu", says = "" }: Opened): string =>
  `pos:	0\ndrm-driver:	${driver}\ndrm-pdev:	${pci}\ndrm-client-id:	${id}\n${says}\n`;

/** From now on the file does not answer, until it is told what to say. */
function hang(pid: number, fd: number): (text: string) => void {
  const path = `${machine.root}/proc/${pid}/fdinfo/${fd}`;
  rmSync(path);
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  return (text) => {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    rmSync(path);
    writeSync(descriptor, text);
    closeSync(descriptor);
  };
}

const close = (pid: number) => machine.write(`/proc/${pid}`, null);

const memory = (kib: number) => `drm-memory-vram:	${kib} KiB`;
const gfx = (ms: number) => `drm-engine-gfx:	${ms * 1e6} ns`;

const cycle = (at_ms: number, wait_ms = PATIENT_MS): Cycle => ({ ...cycleAt(at_ms), wait_ms });

const newClients = () => new DrmClients(machine.root);
const vram = (uses: readonly DrmUse[]) => uses.map(({ pid, memory: kinds }) => [pid, (kinds.get("vram") ?? 0) / 1024]);
const percents = (uses: readonly DrmUse[]) => uses.map(({ engines }) => busiest(engines));

test("a client counts once, under whatever descriptors, and for the process that opened it", async () => {
  open(100, 7, { says: memory(10) });
  open(100, 8, { says: memory(10) });
  open(100, 9, { says: memory(10), node: "card0" });
  open(120, 7, { says: memory(10) });
  expect(vram(await newClients().uses(cycle(0), [CARD]))).toEqual([[100, 10]]);
});

test("several clients of a process are one use; another card's is another", async () => {
  open(100, 7, { id: 1, says: memory(10) });
  open(100, 8, { id: 2, says: memory(5) });
  open(100, 9, { id: 1, says: memory(3), pci: "0000:63:00.0" });
  const clients = newClients();
  expect(vram(await clients.uses(cycle(0), [CARD]))).toEqual([[100, 15]]);
  expect((await clients.uses(cycle(0), [CARD, "0000:63:00.0"])).map(({ pci }) => pci)).toEqual([CARD, "0000:63:00.0"]);
});

test("a seat manager keeps what it opened for others: they use it", async () => {
  open(90, 20, { says: memory(10) });
  machine.write("/proc/90/comm", "systemd-logind\n");
  open(100, 7, { says: memory(10) });
  expect(vram(await newClients().uses(cycle(0), [CARD]))).toEqual([[100, 10]]);
});

test("utilization is of the time between two readings, of the busiest engine", async () => {
  open(100, 7, { says: `${gfx(1000)}\ndrm-engine-dec:	5 ns` });
  const clients = newClients();
  expect(percents(await clients.uses(cycle(0), [CARD]))).toEqual([null]);
  open(100, 7, { says: `${gfx(1250)}\ndrm-engine-dec:	750000005 ns` });
  const [use] = await clients.uses(cycle(1000), [CARD]);
  expect(use?.engines).toEqual(
    new Map([
      ["gfx", 25],
      ["dec", 75],
    ]),
  );
  expect(percents(await clients.uses(cycle(1000), [CARD]))).toEqual([75]);
});

test("an engine that was not listed had done nothing; one that is not listed is not known", async () => {
  open(100, 7, { says: memory(1) });
  const clients = newClients();
  await clients.uses(cycle(0), [CARD]);
  expect(percents(await clients.uses(cycle(1000), [CARD]))).toEqual([null]);
  open(100, 7, { says: gfx(400) });
  expect(percents(await clients.uses(cycle(2000), [CARD]))).toEqual([40]);
});

test("engines side by side: their capacity is what they could do together", async () => {
  open(100, 7, { says: `drm-engine-video:	0 ns\ndrm-engine-capacity-video:	2` });
  const clients = newClients();
  await clients.uses(cycle(0), [CARD]);
  open(100, 7, { says: `drm-engine-video:	1000000000 ns\ndrm-engine-capacity-video:	2` });
  expect(percents(await clients.uses(cycle(1000), [CARD]))).toEqual([50]);
});

test("cycles are a part of the cycles that passed", async () => {
  const cycles = (busy: number, total: number) => `drm-cycles-rcs:	${busy}\ndrm-total-cycles-rcs:	${total}`;
  open(100, 7, { driver: "xe", says: cycles(100, 1000) });
  const clients = newClients();
  await clients.uses(cycle(0), [CARD]);
  open(100, 7, { driver: "xe", says: cycles(400, 2000) });
  expect(percents(await clients.uses(cycle(5), [CARD]))).toEqual([30]);
});

test("what falls has stood still, until it has caught up", async () => {
  open(100, 7, { says: gfx(1000) });
  const clients = newClients();
  await clients.uses(cycle(0), [CARD]);
  open(100, 7, { says: gfx(900) });
  expect(percents(await clients.uses(cycle(1000), [CARD]))).toEqual([0]);
  open(100, 7, { says: gfx(1100) });
  expect(percents(await clients.uses(cycle(2000), [CARD]))).toEqual([10]);
});

test("a process that ends is gone at once; a descriptor that another client has now is that one's", async () => {
  open(100, 7, { id: 1, says: memory(10) });
  open(101, 7, { id: 2, says: memory(20) });
  const clients = newClients();
  await clients.uses(cycle(0), [CARD]);
  close(100);
  open(101, 7, { id: 3, says: memory(30) });
  expect(vram(await clients.uses(cycle(10_000), [CARD]))).toEqual([[101, 30]]);
});

test("what begins to use a card is found within the time of a search, each process having its turn", async () => {
  for (let pid = 1; pid <= 50; pid++) machine.write(`/proc/${pid}/comm`, "task\n");
  const clients = newClients();
  expect(await clients.uses(cycle(0), [CARD])).toEqual([]);
  for (const pid of [1, 25, 50]) open(pid, 3, { id: pid, says: memory(pid) });
  const found: number[] = [];
  for (let second = 1; second <= 10; second++) found.push((await clients.uses(cycle(second * 1000), [CARD])).length);
  expect(found.at(-1)).toBe(3);
  expect(found[0]).toBeLessThan(3);
});

test("other drivers' files are none of ours, and no card is no look at any process", async () => {
  open(100, 7, { driver: "nouveau" });
  expect(await newClients().uses(cycle(0), [CARD])).toEqual([]);
  open(100, 7, {});
  const clients = newClients();
  expect(await clients.uses(cycle(0), [])).toEqual([]);
  expect((await clients.uses(cycle(0), [CARD])).length).toBe(1);
});

/** So short that a test need not wait long for the file that hangs; what else is late then, the next cycle reads. */
const HASTY_MS = 1600;

async function untilUses(clients: DrmClients, from_ms: number, expected: (number | undefined)[][]): Promise<void> {
  for (let at_ms = from_ms; ; at_ms += 1000) {
    if (Bun.deepEquals(vram(await clients.uses(cycle(at_ms, HASTY_MS), [CARD])), expected)) return;
    await Bun.sleep(1);
  }
}

test("a file that does not answer keeps nobody waiting: its last word stands, the others go on, it comes back", async () => {
  for (const pid of [100, 101, 102]) open(pid, 7, { id: pid, says: memory(10) });
  const clients = new DrmClients(machine.root, new PatientFiles(new FileThreads(2)));
  await clients.uses(cycle(0), [CARD]);
  const answer = hang(101, 7);
  open(100, 7, { id: 100, says: memory(20) });
  open(102, 7, { id: 102, says: memory(30) });
  await untilUses(clients, 1000, [
    [100, 20],
    [101, 10],
    [102, 30],
  ]);
  answer(fdinfo({ id: 101, says: memory(40) }));
  open(101, 7, { id: 101, says: memory(50) });
  await untilUses(clients, 1_000_000, [
    [100, 20],
    [101, 50],
    [102, 30],
  ]);
}, 60_000);

test("so many files that do not answer, and none is read any more; a process that ended is gone all the same", async () => {
  for (const pid of [100, 101, 102]) open(pid, 7, { id: pid, says: memory(10) });
  const clients = new DrmClients(machine.root, new PatientFiles(new FileThreads(1)));
  await clients.uses(cycle(0), [CARD]);
  const answer = hang(100, 7);
  await clients.uses(cycle(1000, HASTY_MS), [CARD]);
  open(101, 7, { id: 101, says: memory(20) });
  close(102);
  expect(vram(await clients.uses(cycle(2000), [CARD]))).toEqual([
    [100, 10],
    [101, 10],
  ]);
  answer("");
}, 60_000);
