import { expect, test } from "bun:test";
import { momentOf, parsePosixZone, settingAt } from "./posix_zone.ts";

const zoneOf = (text: string) => {
  const zone = parsePosixZone(text);
  if (zone === null) throw new Error(`no zone: ${text}`);
  return zone;
};

/** What date(1), which goes by tzset(3), says of each of these seconds in a zone: its offset and letters. */
function saidByDate(TZ: string, seconds: readonly number[]): string[] {
  const stdin = Buffer.from(seconds.map((t) => `@${t}\n`).join(""));
  const { stdout } = Bun.spawnSync(["date", "-f", "-", "+%::z %Z"], {
    env: { ...process.env, TZ, LC_ALL: "C" },
    stdin,
  });
  return stdout.toString().trimEnd().split("\n");
}

function written({ name, offset_s }: { name: string; offset_s: number }): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const size = Math.abs(offset_s);
  return `${offset_s < 0 ? "-" : "+"}${two(size / 3600)}:${two((size / 60) % 60)}:${two(size % 60)} ${name}`;
}

const SPAN = { first: Date.UTC(1999, 0, 1) / 1000, last: Date.UTC(2041, 0, 1) / 1000 };

test.each([
  "EST5EDT,M3.2.0,M11.1.0",
  "<+0330>-3:30",
  "UTC-3",
  "CET-1CEST,M3.5.0,M10.5.0/3",
  // South of the equator summer is around the new year.
  "AEST-10AEDT,M10.1.0,M4.1.0/3",
  "NZST-12NZDT,M9.5.0,M4.1.0/3",
  "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
  "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  "IST-2IDT,M3.4.4/26,M10.5.0",
  "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
  // Ireland's winter is the exception by law: its change goes backwards.
  "IST-1GMT0,M10.5.0,M3.5.0/1",
  "AAA3BBB,J60,J300",
  "AAA3BBB,59,299/3:30:15",
  "AAA3BBB,J300/167,J10/25",
  "AAA-14:00:30",
  "AAA24BBB,10/0,350/24",
  "EST5EDT4,M3.2.0/02:00:00,M11.1.0/02:00:00",
])("%s: as date(1) has it, all through the years", (text) => {
  const zone = zoneOf(text);
  const some = Array.from({ length: 3000 }, (_, n) => SPAN.first + n * Math.floor((SPAN.last - SPAN.first) / 3000));
  // Around each change, to the second.
  const changes = some.flatMap((t, n) => {
    let [low, high] = [some[n - 1] ?? t, t];
    const at = (s: number) => settingAt(zone, s * 1000).offset_s;
    if (at(low) === at(high)) return [];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (at(middle) === at(low)) low = middle;
      else high = middle;
    }
    return [low, high];
  });
  const seconds = [...some, ...changes];
  const said = saidByDate(text, seconds);
  expect(seconds.map((t) => written(settingAt(zone, t * 1000)))).toEqual(said);
});

test("summer all year is no winter at the turn of it", () => {
  const zone = zoneOf("XXX3EDT4,0/0,J365/23");
  for (const t of ["2025-12-31T23:30:00Z", "2026-01-01T03:59:59Z", "2026-01-01T04:00:00Z", "2026-07-01T00:00:00Z"]) {
    expect([t, settingAt(zone, Date.parse(t)).name]).toEqual([t, "EDT"]);
  }
});

test("a clock's time is a moment: the first of two, and later where there is none", () => {
  const zone = zoneOf("EST5EDT,M3.2.0,M11.1.0");
  const moment = (local: string): string => new Date(momentOf(zone, Date.parse(`${local}Z`))).toISOString();
  expect(moment("2026-04-18T14:31:00")).toBe("2026-04-18T18:31:00.000Z");
  expect(moment("2026-01-18T14:31:00")).toBe("2026-01-18T19:31:00.000Z");
  expect(moment("2026-03-08T02:30:00")).toBe("2026-03-08T07:30:00.000Z");
  expect(moment("2026-11-01T01:30:00")).toBe("2026-11-01T05:30:00.000Z");
});

test("what is none", () => {
  const none = [
    "",
    "Europe",
    "AB3",
    "EST",
    "EST25",
    "EST5:60",
    "<+03",
    "EST5EDT,M3.2.0",
    "EST5EDT,M13.1.0,M11.1.0",
    "+03:00",
  ];
  const more = [
    "EST5EDT,M3.6.0,M11.1.0",
    "EST5EDT,J0,J5",
    "EST5EDT,1,366",
    "EST5EDT,M3.2.0/168,M11.1.0",
    "EST5 ",
    "A".repeat(1e6),
  ];
  for (const text of [...none, ...more, `EST${"5".repeat(1e6)}`, `<${"+".repeat(1e6)}>3`]) {
    expect([text.slice(0, 30), parsePosixZone(text)]).toEqual([text.slice(0, 30), null]);
  }
});
