import { test } from "bun:test";
import { parsePosixZone } from "../clock/posix_zone.ts";
import { oneLine } from "../errors.ts";
import { decodeLine } from "../frame/decode.ts";
import { LineSplitter } from "./gpu/child_output.ts";
import { parseFdinfo } from "./gpu/drm/fdinfo.ts";
import { lostCardIn, refusedIn, sentenceOf } from "./gpu/nvidia/smi/complaint.ts";
import { parseList } from "./gpu/nvidia/smi/list.ts";
import { parseLog } from "./gpu/nvidia/smi/log.ts";
import { parseHelp } from "./gpu/nvidia/smi/query.ts";
import { parseMembership } from "./local/cgroup.ts";
import { parseCpuinfo } from "./local/cpuinfo.ts";
import { parseRecords } from "./local/kernel_log/record.ts";
import { findingsIn } from "./local/kernel_log/rules.ts";
import { memorySizes } from "./local/memory.ts";
import { parseMountinfo } from "./local/mountinfo.ts";
import { parseEffectiveUid, parsePasswd } from "./local/users.ts";
import { ExpositionParser } from "./remote/exposition.ts";
import { expandRanges } from "./remote/ranges.ts";
import { parseEndpoint } from "./remote/target.ts";

const kernelRecord = (text: string) => `6,1,1,-;${text.replaceAll("\n", " ")}`;

/** Everything that makes something of a text from outside. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  "a metrics page": (text) => new ExpositionParser(() => () => {}).feed(Buffer.from(`a{b="${text}\nc${text}\n${text}`)),
  "a recording's line": (text) => decodeLine(`{"schema":1,"t":"${text}`) && decodeLine(text),
  "the kernel's log": (text) => {
    const starts = [
      "",
      "NVRM: Xid (PCI:0000:01:00): 79, ",
      "[drm] Timedout job: ",
      "Killed process 1 (",
      "INFO: task ",
    ];
    for (const begin of starts) findingsIn(parseRecords(kernelRecord(begin + text)).map(({ message }) => message));
  },
  "nvidia-smi's log": (text) => parseLog(text) && parseLog(`a${text}b`),
  "nvidia-smi's list": (text) => parseList(`GPU 0: ${text}`) && parseList(` MIG ${text}`),
  "nvidia-smi's help": (text) => parseHelp(text) && parseHelp(`"${text}`),
  "nvidia-smi's complaints": (text) => [lostCardIn(text), refusedIn(`"${text}`), sentenceOf([text], text)],
  "a child's lines": (text) => new LineSplitter(() => {}).add(text),
  cpuinfo: (text) => parseCpuinfo(text) && parseCpuinfo(`processor${text}: 1`),
  meminfo: (text) => memorySizes(text) && memorySizes(`MemTotal:${text}`),
  mountinfo: (text) => parseMountinfo(`1 2 8:1 / /${text} rw - ext4 /dev/${text} rw`),
  fdinfo: (text) => parseFdinfo(text) ?? parseFdinfo(`drm-driver:${text}`),
  cgroup: (text) => parseMembership(text) && parseMembership(`0:${text}:/`),
  users: (text) => parsePasswd(text) && parseEffectiveUid(`Uid:${text}`),
  hosts: (text) => [
    expandRanges(text),
    expandRanges(`a[${text}`),
    parseEndpoint(text),
    parseEndpoint(`http://${text}`),
  ],
  "a time zone": (text) => parsePosixZone(text) ?? parsePosixZone(`CET${text}`),
  "an error": (text) => oneLine(new Error(`a${text}b`)),
};

const LENGTH = 1_000_000;
const UNITS: readonly string[] = [
  ...[..."\\\"'=:/@?&#;,|{}[]()-_.+*<> \t\n\r\0a0%é"],
  ...[
    '\\"',
    'a="',
    '",',
    '{a="b",',
    "a:",
    "a: ",
    " : ",
    "\n\n",
    "\n ",
    "[1-2]",
    "[1-",
    "1,",
    "\\x41",
    "\\040",
    " in ",
    ") (",
  ],
  ...["(UUID: GPU-", " - ", "0-", "a.b", '"a"', "::", "1 ", " 1", "\ud800", "]["],
];

/** A reader that goes over its text again for each character of it would take hours here. */
test.each(Object.keys(READERS))("a million of any character are read in time by their number: %s", (name) => {
  for (const unit of UNITS) READERS[name]?.(unit.repeat(Math.ceil(LENGTH / unit.length)));
});
