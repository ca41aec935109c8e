import { lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parsePosixZone } from "./posix_zone.ts";
import { footerOf, isTzif } from "./tzif.ts";
import { ianaName } from "./zone.ts";

/** The files of a machine, by their paths there; `null`: there is no such file, or no such link. */
export interface ZoneFiles {
  /** Also of a link that leads nowhere, and of a folder. */
  exists(path: string): boolean;
  link(path: string): string | null;
  size(path: string): number | null;
  bytes(path: string): Uint8Array | null;
}

export interface MachineZone {
  /** Of the IANA database, or as POSIX writes it. */
  readonly name: string;
  /** What could not be understood, and what is done instead. */
  readonly problem: string | null;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** A zone's file has some KiB. */
const MOST_BYTES = 256 * 1024;

/** The files that are found by these paths from here. */
export function zoneFiles(pathOf: (path: string) => string, linkOf: (path: string) => string): ZoneFiles {
  const size = (path: string): number | null => {
    const found = attempt(() => statSync(pathOf(path)));
    return found?.isFile() && found.size <= MOST_BYTES ? found.size : null;
  };
  return {
    exists: (path) => attempt(() => lstatSync(linkOf(path))) !== null,
    link: (path) => attempt(() => readlinkSync(linkOf(path))),
    size,
    bytes: (path) => (size(path) === null ? null : attempt(() => readFileSync(pathOf(path)))),
  };
}

const UTC = "UTC";
const LOCALTIME = "/etc/localtime";
const TIMEZONE = "/etc/timezone";
const DATABASE = "/usr/share/zoneinfo";
/** As many links as Linux follows. */
const MOST_LINKS = 40;
const LONGEST_TOLD = 80;

/** The zone of a machine, as tzset(3) finds it. `env`: its `TZ` and `TZDIR`. */
export function findMachineZone(
  { TZ, TZDIR }: Readonly<Record<string, string | undefined>>,
  files: ZoneFiles,
): MachineZone {
  const database = TZDIR || DATABASE;
  const name = TZ === undefined ? null : zoneOfVariable(TZ.replace(/^:/, ""), database, files);
  if (TZ === undefined) return zoneOfSystem(database, files);
  return name === null ? inUtc(`TZ=${shown(TZ)} is no time zone`) : { name, problem: null };
}

/** On a terminal it does nothing but stand there. */
const shown = (text: string): string => text.slice(0, LONGEST_TOLD).replace(/[^ -~]/g, "?");

const inUtc = (problem: string): MachineZone => ({ name: UTC, problem: `${problem}: times are in UTC` });

/** A name, a path, or a zone as POSIX writes it; in this order, as in the C library. */
function zoneOfVariable(text: string, database: string, files: ZoneFiles): string | null {
  if (text === "") return UTC;
  if (text.startsWith("/")) return zoneAt(text, database, files);
  const isPath = !text.split("/").includes("..");
  return (
    namedZone(text) ??
    (isPath ? zoneAt(`${database}/${text}`, database, files) : null) ??
    (parsePosixZone(text) === null ? null : text)
  );
}

function zoneOfSystem(database: string, files: ZoneFiles): MachineZone {
  const name = zoneAt(LOCALTIME, database, files);
  if (name !== null) return { name, problem: null };
  const isThere = files.exists(LOCALTIME);
  const text = timezoneText(files);
  const told = text === null ? null : zoneOfVariable(text, database, files);
  if (told !== null) {
    return { name: told, problem: isThere ? `${LOCALTIME} is no time zone: ${TIMEZONE} is taken, ${told}` : null };
  }
  if (isThere) return inUtc(`${LOCALTIME} is no time zone`);
  return text === null ? { name: UTC, problem: null } : inUtc(`${TIMEZONE} names no time zone`);
}

/** Debian's file: a name, and perhaps comments. */
function timezoneText(files: ZoneFiles): string | null {
  const bytes = files.bytes(TIMEZONE);
  const lines = bytes === null ? [] : Buffer.from(bytes).toString("utf8").split("\n");
  return lines.map((line) => line.replace(/#.*/, "").trim()).find((line) => line !== "") ?? null;
}

/** Of the IANA database; the folders `posix` and `right` have the same zones. */
function namedZone(text: string): string | null {
  const name = text.replace(/^(?:posix|right)\//, "");
  return /^[A-Za-z]/.test(name) ? ianaName(name) : null;
}

/** The zone of a file, by where it is in a database, where it leads to, or what is in it. */
function zoneAt(path: string, database: string, files: ZoneFiles): string | null {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const name = nameOfPath(at, database);
    if (name !== null) return name;
    const target = files.link(at);
    if (target === null) return zoneIn(files.bytes(at), database, files);
    at = resolve(dirname(at), target);
  }
  return null;
}

function nameOfPath(path: string, database: string): string | null {
  const inDatabase = path.startsWith(`${database}/`) ? path.slice(database.length + 1) : null;
  const behind = inDatabase ?? /\/zoneinfo\/(.+)$/.exec(path)?.[1];
  return behind === undefined ? null : namedZone(behind);
}

/** A copy of a file of the database has that one's name; any other has the zone that holds after its table. */
function zoneIn(bytes: Uint8Array | null, database: string, files: ZoneFiles): string | null {
  if (bytes === null || !isTzif(bytes)) return null;
  const isCopy = (name: string): boolean => {
    const path = `${database}/${name}`;
    return files.size(path) === bytes.length && Buffer.from(bytes).equals(files.bytes(path) ?? Buffer.alloc(0));
  };
  const name = candidates(database, files).find(isCopy);
  if (name !== undefined) return namedZone(name);
  const footer = footerOf(bytes);
  return footer === null || parsePosixZone(footer) === null ? null : footer;
}

/** Several names can have the same file: those come first that the machine itself, and the database, prefer. */
function candidates(database: string, files: ZoneFiles): string[] {
  const told = timezoneText(files);
  const table = Buffer.from(files.bytes(`${database}/zone1970.tab`) ?? []).toString("utf8");
  const preferred = table.split("\n").flatMap((line) => /^[^#\t]+\t[^\t]+\t([^\t]+)/.exec(line)?.[1] ?? []);
  const first = told !== null && namedZone(told) !== null ? [told] : [];
  return [...first, UTC, ...preferred, ...Intl.supportedValuesOf("timeZone")];
}
