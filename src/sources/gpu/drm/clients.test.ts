import { afterEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { type Machine, openMachine } from "../../../../test/fixtures/machines/make.ts";
import { busiest, DrmClients, type DrmUse } from "./clients.ts";

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

/** A process that has opened a DRM file. */
function open(
  pid: number,
  fd: number,
  { id = 1, pci = CARD, driver = "amdgpu", node = "renderD128", says = "" }: Opened,
) {
  mkdirSync(`${machine.root}/proc/${pid}/fd`, { recursive: true });
  rmSync(`${machine.root}/proc/${pid}/fd/${fd}`, { force: true });
  symlinkSync(`/dev/dri/${node}`, `${machine.root}/proc/${pid}/fd/${fd}`);
  const text = `pos:	0\ndrm-driver:	${driver}\ndrm-pdev:	${pci}\ndrm-client-id:	${id}\n${says}\n`;
  machine.write(`/proc/${pid}/fdinfo/${fd}`, text);
}

const close = (pid: number) => machine.write(`/proc/${pid}`, null);

const memory = (kib: number) => `drm-memory-vram:	${kib} KiB`;
const gfx = (ms: number) => `drm-engine-gfx:	${ms * 1e6} ns`;

const newClients = () => new DrmClients(machine.root);
const vram = (uses: readonly DrmUse[]) => uses.map(({ pid, memory: kinds }) => [pid, (kinds.get("vram") ?? 0) / 1024]);
const percents = (uses: readonly DrmUse[]) => uses.map(({ engines }) => busiest(engines));

test("a client counts once, under whatever descriptors, and for the process that opened it", () => {
  open(100, 7, { says: memory(10) });
  open(100, 8, { says: memory(10) });
  open(100, 9, { says: memory(10), node: "card0" });
  open(120, 7, { says: memory(10) });
  expect(vram(newClients().uses(0, [CARD]))).toEqual([[100, 10]]);
});

test("several clients of a process are one use; another card's is another", () => {
  open(100, 7, { id: 1, says: memory(10) });
  open(100, 8, { id: 2, says: memory(5) });
  open(100, 9, { id: 1, says: memory(3), pci: "0000:63:00.0" });
  const clients = newClients();
  expect(vram(clients.uses(0, [CARD]))).toEqual([[100, 15]]);
  expect(clients.uses(0, [CARD, "0000:63:00.0"]).map(({ pci }) => pci)).toEqual([CARD, "0000:63:00.0"]);
});

test("a seat manager keeps what it opened for others: they use it", () => {
  open(90, 20, { says: memory(10) });
  machine.write("/proc/90/comm", "systemd-logind\n");
  open(100, 7, { says: memory(10) });
  expect(vram(newClients().uses(0, [CARD]))).toEqual([[100, 10]]);
});

test("utilization is of the time between two readings, of the busiest engine", () => {
  open(100, 7, { says: `${gfx(1000)}\ndrm-engine-dec:	5 ns` });
  const clients = newClients();
  expect(percents(clients.uses(0, [CARD]))).toEqual([null]);
  open(100, 7, { says: `${gfx(1250)}\ndrm-engine-dec:	750000005 ns` });
  const [use] = clients.uses(1000, [CARD]);
  expect(use?.engines).toEqual(
    new Map([
      ["gfx", 25],
      ["dec", 75],
    ]),
  );
  expect(percents(clients.uses(1000, [CARD]))).toEqual([75]);
});

test("an engine that was not listed had done nothing; one that is not listed is not known", () => {
  open(100, 7, { says: memory(1) });
  const clients = newClients();
  clients.uses(0, [CARD]);
  expect(percents(clients.uses(1000, [CARD]))).toEqual([null]);
  open(100, 7, { says: gfx(400) });
  expect(percents(clients.uses(2000, [CARD]))).toEqual([40]);
});

test("engines side by side: their capacity is what they could do together", () => {
  open(100, 7, { says: `drm-engine-video:	0 ns\ndrm-engine-capacity-video:	2` });
  const clients = newClients();
  clients.uses(0, [CARD]);
  open(100, 7, { says: `drm-engine-video:	1000000000 ns\ndrm-engine-capacity-video:	2` });
  expect(percents(clients.uses(1000, [CARD]))).toEqual([50]);
});

test("cycles are a part of the cycles that passed", () => {
  const cycles = (busy: number, total: number) => `drm-cycles-rcs:	${busy}\ndrm-total-cycles-rcs:	${total}`;
  open(100, 7, { driver: "xe", says: cycles(100, 1000) });
  const clients = newClients();
  clients.uses(0, [CARD]);
  open(100, 7, { driver: "xe", says: cycles(400, 2000) });
  expect(percents(clients.uses(5, [CARD]))).toEqual([30]);
});

test("what falls has stood still, until it has caught up", () => {
  open(100, 7, { says: gfx(1000) });
  const clients = newClients();
  clients.uses(0, [CARD]);
  const rates = [900, 1100].map((ms, i) => {
    open(100, 7, { says: gfx(ms) });
    return percents(clients.uses((i + 1) * 1000, [CARD]))[0];
  });
  expect(rates).toEqual([0, 10]);
});

test("a process that ends is gone at once; a descriptor that another client has now is that one's", () => {
  open(100, 7, { id: 1, says: memory(10) });
  open(101, 7, { id: 2, says: memory(20) });
  const clients = newClients();
  clients.uses(0, [CARD]);
  close(100);
  open(101, 7, { id: 3, says: memory(30) });
  expect(vram(clients.uses(10_000, [CARD]))).toEqual([[101, 30]]);
});

test("what begins to use a card is found within the time of a search, each process having its turn", () => {
  for (let pid = 1; pid <= 50; pid++) machine.write(`/proc/${pid}/comm`, "task\n");
  const clients = newClients();
  expect(clients.uses(0, [CARD])).toEqual([]);
  for (const pid of [1, 25, 50]) open(pid, 3, { id: pid, says: memory(pid) });
  const found = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((second) => clients.uses(second * 1000, [CARD]).length);
  expect(found.at(-1)).toBe(3);
  expect(found[0]).toBeLessThan(3);
});

test("other drivers' files are none of ours, and no card is no look at any process", () => {
  open(100, 7, { driver: "nouveau" });
  expect(newClients().uses(0, [CARD])).toEqual([]);
  open(100, 7, {});
  const clients = newClients();
  expect(clients.uses(0, [])).toEqual([]);
  expect(clients.uses(0, [CARD]).length).toBe(1);
});
