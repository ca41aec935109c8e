import type { FrameEvent } from "../../../frame/schema.ts";
import { isGraver, type Severity, saidSeverity } from "../../../frame/severity.ts";

type Xid = readonly [text: string, severity: Severity];

/**
 * The XIDs that an operator meets, after NVIDIA's catalogue of them. Critical: the card needs a reset, or is broken.
 * Warning: an application's fault, or one that ends an application. Info: what is only recorded.
 */
const XIDS: Readonly<Record<number, Xid>> = {
  13: ["graphics engine exception", "warning"],
  31: ["GPU memory page fault", "warning"],
  32: ["invalid or corrupted push buffer", "warning"],
  38: ["driver firmware error", "warning"],
  43: ["GPU stopped processing", "warning"],
  45: ["preemptive cleanup after earlier errors", "info"],
  48: ["double-bit ECC error", "critical"],
  54: ["auxiliary power is not connected", "critical"],
  61: ["internal micro-controller breakpoint", "critical"],
  62: ["internal micro-controller halt", "critical"],
  63: ["memory page retired or row remapped", "info"],
  64: ["memory page could not be retired or row not remapped", "critical"],
  68: ["video processor exception", "warning"],
  69: ["graphics engine class error", "warning"],
  74: ["NVLink error", "critical"],
  79: ["GPU has fallen off the bus", "critical"],
  92: ["high rate of single-bit ECC errors", "info"],
  94: ["contained ECC error", "critical"],
  95: ["uncontained ECC error", "critical"],
  109: ["context switch timeout", "critical"],
  119: ["GSP RPC timeout", "critical"],
  120: ["GSP error", "critical"],
  121: ["C2C link error", "warning"],
  136: ["NVLink training failed", "critical"],
  137: ["NVLink privilege error", "warning"],
  140: ["unrecovered ECC error", "critical"],
  143: ["GPU initialization failure", "critical"],
  144: ["NVLink SAW error", "warning"],
  145: ["NVLink RLW error", "warning"],
  146: ["NVLink TLW error", "warning"],
  147: ["NVLink TREX error", "warning"],
  148: ["NVLink NVLPW_CTRL error", "warning"],
  149: ["NVLink NETIR error", "warning"],
  150: ["NVLink MSE error", "warning"],
  154: ["GPU recovery action changed", "warning"],
  155: ["NVLink error found by software", "warning"],
  156: ["memory retired", "info"],
  157: ["memory could not be retired", "critical"],
  158: ["GPU fatal timeout", "critical"],
  167: ["PCIe fatal timeout", "critical"],
  168: ["reduced GPU memory capacity", "warning"],
  171: ["uncorrectable DRAM error", "critical"],
  172: ["uncorrectable SRAM error", "critical"],
};

/** `XID 79: GPU has fallen off the bus`; of a code that is in no table, `XID 1234`. */
export function xidText(code: number | null): string {
  const text = code === null ? "which one the driver does not say" : XIDS[code]?.[0];
  const name = code === null ? "XID" : `XID ${code}`;
  return text === undefined ? name : `${name}: ${text}`;
}

/** The driver's own verdict: `GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)`. */
const RECOVERY_ACTION = 154;
const ACTION = /\bto 0x[\da-f]{1,8} \(([^)]{1,40})\)/;

function actionSeverity(words: string): Severity {
  const action = ACTION.exec(words)?.[1];
  if (action === undefined) return saidSeverity("warning", words);
  if (/^none$/i.test(action)) return "info";
  return /reset|reboot|flr/i.test(action) ? "critical" : "warning";
}

/**
 * How bad it is, whoever tells of it; of what is in no table nobody knows. `words`: what the driver or an exporter says
 * besides; they may call it fatal.
 */
export function xidSeverity(code: number | null, words = ""): Severity {
  if (code === RECOVERY_ACTION) return actionSeverity(words);
  return saidSeverity(XIDS[code ?? -1]?.[1] ?? "warning", words);
}

/** Of several, the one that says most about why a card is gone. */
export function worstXid(codes: readonly number[]): number | null {
  return codes.reduce<number | null>(
    (worst, code) => (worst === null || isGraver(xidSeverity(code), xidSeverity(worst)) ? code : worst),
    null,
  );
}

/** The event of a frame; `device` is the card's UUID, or its PCI address where that is all that is known. */
export const xidEvent = (code: number | null, t_ms: number, host_id: string, device: string): FrameEvent => ({
  kind: "xid",
  severity: xidSeverity(code),
  t: new Date(t_ms).toISOString(),
  host: host_id,
  device,
  text: xidText(code),
});
