import { afterAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findMachineZone, type MachineZone, zoneFiles } from "./machine_zone.ts";
import { footerOf } from "./tzif.ts";

const folder = mkdtempSync(join(tmpdir(), "zones-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of version 2 with no more in it than its last line. */
function tzif(footer: string): Uint8Array {
  const header = Buffer.alloc(44);
  header.write("TZif2", "latin1");
  const table = Buffer.from(header);
  table.writeUInt32BE(1, 36);
  table.writeUInt32BE(4, 40);
  const body = Buffer.concat([Buffer.alloc(6), Buffer.from("LMT\0")]);
  return Buffer.concat([table, body, table, body, Buffer.from(`\n${footer}\n`)]);
}

type Files = Readonly<Record<string, string | Uint8Array>>;

/** In a machine with these files; a text that begins with `-> ` is a link, of which all stays below its root here. */
function zoneIn(files: Files, TZ?: string, TZDIR?: string): MachineZone {
  const root = mkdtempSync(join(folder, "root-"));
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "string" && content.startsWith("-> ")) symlinkSync(content.slice(3), file);
    else writeFileSync(file, content);
  }
  const below = (path: string): string => root + path;
  return findMachineZone({ TZ, TZDIR }, zoneFiles(below, below));
}

const ITS = (name: string): MachineZone => ({ name, problem: null });
const DATABASE = "usr/share/zoneinfo";

test.each([
  ["Asia/Seoul", "Asia/Seoul"],
  [":Asia/Seoul", "Asia/Seoul"],
  ["/usr/share/zoneinfo/Asia/Seoul", "Asia/Seoul"],
  [":/usr/share/zoneinfo/posix/Asia/Seoul", "Asia/Seoul"],
  ["right/Asia/Seoul", "Asia/Seoul"],
  ["", "UTC"],
  [":", "UTC"],
  ["UTC-3", "UTC-3"],
  ["<+0330>-3:30", "<+0330>-3:30"],
  ["EST5EDT,M3.2.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0"],
  ["EST5EDT", "EST5EDT"],
])("TZ=%s", (TZ, name) => {
  expect(zoneIn({ "etc/localtime": "-> /usr/share/zoneinfo/Europe/Berlin" }, TZ)).toEqual(ITS(name));
});

test("what is none is said, and shown in part only", () => {
  for (const TZ of ["Nowhere/Land", ":/etc/hosts", "+03:00", "../../etc/localtime", "EST5EDT,M13.1.0,M11.1.0"]) {
    expect(zoneIn({}, TZ)).toEqual({ name: "UTC", problem: `TZ=${TZ} is no time zone: times are in UTC` });
  }
  expect(zoneIn({}, "\x1b[31mX\u202e").problem).toBe("TZ=?[31mX? is no time zone: times are in UTC");
  expect(zoneIn({}, "x".repeat(1e6)).problem?.length).toBeLessThan(150);
});

test("/etc/localtime as a link, over others, to what is not installed", () => {
  expect(zoneIn({ "etc/localtime": "-> ../usr/share/zoneinfo/America/New_York" })).toEqual(ITS("America/New_York"));
  const chain = { "etc/localtime": "-> /etc/zone/now", "etc/zone/now": "-> ../zoneinfo/Asia/Tokyo" };
  expect(zoneIn(chain)).toEqual(ITS("Asia/Tokyo"));
  const circle = zoneIn({ "etc/localtime": "-> here", "etc/here": "-> localtime" });
  expect(circle).toEqual({ name: "UTC", problem: "/etc/localtime is no time zone: times are in UTC" });
});

test("/etc/localtime as a file: by what is in it", () => {
  const [one, other] = [tzif("CET-1CEST,M3.5.0,M10.5.0/3"), tzif("KST-9")];
  const database = { [`${DATABASE}/Arctic/Longyearbyen`]: one, [`${DATABASE}/Europe/Berlin`]: one };
  const table = { [`${DATABASE}/zone1970.tab`]: "#codes\tc\tTZ\nDE,DK\t+5230+01322\tEurope/Berlin\tnote\n" };
  expect(zoneIn({ "etc/localtime": one, ...database, ...table })).toEqual(ITS("Europe/Berlin"));
  const debian = { "etc/timezone": "Arctic/Longyearbyen\n" };
  expect(zoneIn({ "etc/localtime": one, ...database, ...table, ...debian })).toEqual(ITS("Arctic/Longyearbyen"));
  // What /etc/timezone says of another zone does not count.
  expect(zoneIn({ "etc/localtime": other, ...database, ...debian })).toEqual(ITS("KST-9"));
  expect(zoneIn({ "etc/localtime": one })).toEqual(ITS("CET-1CEST,M3.5.0,M10.5.0/3"));
});

test("/etc/timezone only where /etc/localtime says nothing", () => {
  expect(zoneIn({ "etc/timezone": "# made by hand\nAsia/Seoul # here\n" })).toEqual(ITS("Asia/Seoul"));
  expect(zoneIn({ "etc/localtime": "-> /usr/share/zoneinfo/Asia/Tokyo", "etc/timezone": "Asia/Seoul" })).toEqual(
    ITS("Asia/Tokyo"),
  );
  expect(zoneIn({ "etc/localtime": "rubbish", "etc/timezone": "Asia/Seoul" })).toEqual({
    name: "Asia/Seoul",
    problem: "/etc/localtime is no time zone: /etc/timezone is taken, Asia/Seoul",
  });
  // So it is where a container was to be given a file that its host has not.
  expect(zoneIn({ "etc/localtime/x": "" }).problem).toBe("/etc/localtime is no time zone: times are in UTC");
  expect(zoneIn({ "etc/timezone": "Nowhere" }).problem).toBe("/etc/timezone names no time zone: times are in UTC");
  expect(zoneIn({})).toEqual(ITS("UTC"));
});

test("another database, and a file of one's own", () => {
  expect(zoneIn({ "opt/zones/Site/Lab": tzif("LAB-1:30") }, "Site/Lab", "/opt/zones")).toEqual(ITS("LAB-1:30"));
  expect(zoneIn({ "opt/lab": tzif("LAB-1:30") }, "/opt/lab")).toEqual(ITS("LAB-1:30"));
});

test("files that are cut off, lie, or are no zones", () => {
  const whole = Buffer.from(tzif("KST-9"));
  for (let length = 0; length < whole.length; length++) expect(footerOf(whole.subarray(0, length))).toBeNull();
  const lying = Buffer.from(whole);
  lying.writeUInt32BE(0xffffffff, 32);
  expect(footerOf(lying)).toBeNull();
  expect(zoneIn({ "etc/localtime": whole.subarray(0, 60) }).name).toBe("UTC");
});

test.skipIf(!existsSync("/usr/share/zoneinfo/Europe/Berlin"))("files of this machine's database", () => {
  const copy = join(folder, "copy");
  cpSync("/usr/share/zoneinfo/Europe/Berlin", copy, { dereference: true });
  expect(footerOf(readFileSync(copy))).toBe("CET-1CEST,M3.5.0,M10.5.0/3");
  const same = (path: string): string => (path === "/etc/localtime" ? copy : path);
  expect(findMachineZone({}, zoneFiles(same, same)).name).toBe("Europe/Berlin");
});
