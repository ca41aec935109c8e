import { xidSeverity, xidText } from "../../gpu/nvidia/xid_texts.ts";
import { type Finding, processName, type Rule } from "./rule.ts";

const XID = /^NVRM: Xid \((?:PCI:)?([0-9a-f:.]{5,16})\): (\d{1,5})(?:, (.*))?$/;
/** `pid=1234, name=python3, …`; a process that the driver does not know is `pid='<unknown>', name=<unknown>`. */
const PROCESS = /^pid=(?:(\d+)|'?<unknown>'?)(?:, name=(.{0,16}?))?(?:, (.*))?$/;

/** `NVRM: Xid (PCI:0000:06:00): 79, pid=1234, name=python3, GPU has fallen off the bus.` */
function xid(message: string): Finding | null {
  const [, pci, digits, rest = ""] = XID.exec(message) ?? [];
  if (pci === undefined) return null;
  const code = Number(digits);
  const [isProcess, pid, name = "", words = ""] = PROCESS.exec(rest) ?? [];
  const where = pid === undefined ? "" : `, ${processName(name, pid)}`;
  const said = (isProcess === undefined ? rest : words).replace(/\.$/, "");
  const catalogue = xidText(code);
  const isKnown = said === "" || catalogue.toLowerCase().endsWith(said.toLowerCase());
  const text = catalogue + where + (isKnown ? "" : `: ${said}`);
  return { kind: "xid", severity: xidSeverity(code), pci, text, xid: code };
}

const FALLEN = [
  /^NVRM: GPU (?:at )?(?:PCI:)?([0-9a-f:.]{5,16}): GPU has fallen off the bus/,
  /^NVRM: The NVIDIA GPU ([0-9a-f:.]{5,16}) .*fallen off the bus/,
];
const FALLEN_OFF_THE_BUS = 79;

/** Some drivers, and all of them while they load, say so without an XID. */
function fallen(message: string): Finding | null {
  const pci = FALLEN.map((pattern) => pattern.exec(message)?.[1]).find((address) => address !== undefined);
  if (pci === undefined) return null;
  return { kind: "xid", severity: "critical", pci, text: "GPU has fallen off the bus", xid: FALLEN_OFF_THE_BUS };
}

const SXID = /^nvidia-nvswitch\d+: SXid \(PCI:([0-9a-f:.]{5,16})\): (\d{1,6}), (Fatal|Non-fatal), (.*)$/;

/** Of an NVSwitch: `nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up`. */
function sxid(message: string): Finding | null {
  const [, pci, code, level, words] = SXID.exec(message) ?? [];
  if (pci === undefined) return null;
  const severity = level === "Fatal" ? "critical" : "warning";
  return { kind: "xid", severity, pci, text: `NVSwitch SXID ${code}: ${words}`, burst: `sxid ${code}` };
}

/** What NVIDIA's driver (NVRM) says of GPUs, and that of its switches. */
export const nvidiaRule: Rule = (messages, at) => {
  const message = messages[at] ?? "";
  return xid(message) ?? fallen(message) ?? sxid(message);
};
