import { saidSeverity, severities } from "../../../frame/severity.ts";
import { xidSeverity, xidText } from "../../gpu/nvidia/xid_texts.ts";
import { type Finding, processName, type Rule, saying } from "./rule.ts";

/** `0000:06:00`, `0000:06:00.0`, and of old drivers `0006:00`. */
const GPU = "[0-9a-f:.]{4,15}[0-9a-f]";
/** Of a card in parts it is said which part: `(PCI:0000:01:00 GPU-I:05 GPU-CI:02)`. */
const XID = new RegExp(
  `^NVRM: Xid \\((?:PCI:)?(${GPU})(?: GPU-I:\\d{1,3})?(?: GPU-CI:\\d{1,3})?\\): (\\d{1,5})(?:, (.*))?$`,
);
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
  return { kind: "xid", severity: xidSeverity(code, said), pci, text, xid: code };
}

const FALLEN = [
  new RegExp(`^NVRM: GPU (?:at )?(?:PCI:)?(${GPU}):? (?:GPU )?has fallen off the bus`),
  new RegExp(`^NVRM: The NVIDIA GPU (?:at )?(${GPU}) .*fallen off the bus`),
];
const FALLEN_OFF_THE_BUS = 79;

/** Some drivers, and all of them while they load, say so without an XID. */
function fallen(message: string): Finding | null {
  const pci = FALLEN.map((pattern) => pattern.exec(message)?.[1]).find((address) => address !== undefined);
  if (pci === undefined) return null;
  const text = "GPU has fallen off the bus";
  return { kind: "xid", severity: xidSeverity(FALLEN_OFF_THE_BUS), pci, text, xid: FALLEN_OFF_THE_BUS };
}

const SXID = /^nvidia-nvswitch\d+: SXid \(PCI:([0-9a-f:.]{5,16})\): (\d{1,6}), (Fatal|Non-?fatal), (.*)$/i;

/** Of an NVSwitch: `nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up`. */
function sxid(message: string): Finding | null {
  const [, pci, code, level = "", words] = SXID.exec(message) ?? [];
  if (pci === undefined) return null;
  const severity = saidSeverity(severities.link, level);
  return { kind: "xid", severity, pci, text: `NVSwitch SXID ${code}: ${words}`, burst: `sxid ${code}` };
}

const error = (pci: string | null, text: string, burst: string): Finding => ({
  ...{ kind: "gpu_error", severity: severities.gpu_error },
  ...{ pci, text, burst },
});

const OF_GPU = `(?:GPU (?:at )?(?:PCI:)?(${GPU}): ?)`;
/** `NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0xffff:1290)`; old drivers do not say which GPU. */
const NOT_STARTED = new RegExp(`^NVRM: ${OF_GPU}?RmInitAdapter failed! ?(\\(.{1,40}\\))?`);
/**
 * What else the driver says: of a GPU by its address, or with a function of its own before it. Either is longer than the
 * name of any process, which stands at the beginning of messages, too.
 */
const OTHER = new RegExp(`^NVRM: (?:${OF_GPU}|GPU\\d{1,3} \\w{8,80}: |\\w{9,80}: )(.*)$`);

/** The driver cannot start a GPU, calls something fatal, or asks for a reboot. */
function failed(message: string): Finding | null {
  const [isInit, which = null, code] = NOT_STARTED.exec(message) ?? [];
  if (isInit !== undefined) {
    return error(which, `the driver cannot start the GPU${code === undefined ? "" : ` ${code}`}`, "start");
  }
  const [, pci = null, words] = OTHER.exec(message) ?? [];
  if (words === undefined || saidSeverity("info", words) === "info") return null;
  return error(pci, `the driver says: ${words}`, saying(words));
}

/** What NVIDIA's driver (NVRM) says of GPUs, and that of its switches. */
export const nvidiaRule: Rule = (messages, at) => {
  const message = messages[at] ?? "";
  return xid(message) ?? fallen(message) ?? sxid(message) ?? failed(message);
};
