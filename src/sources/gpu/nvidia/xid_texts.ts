import type { FrameEvent } from "../../../frame/schema.ts";

type Severity = FrameEvent["severity"];
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

/** How bad it is; of what is in no table nobody knows. */
export const xidSeverity = (code: number | null): Severity => XIDS[code ?? -1]?.[1] ?? "warning";

const RANK: Readonly<Record<Severity, number>> = { critical: 2, warning: 1, info: 0 };

/** Of several, the one that says most about why a card is gone. */
export function worstXid(codes: readonly number[]): number | null {
  const rank = (code: number) => RANK[xidSeverity(code)];
  return codes.reduce<number | null>(
    (worst, code) => (worst === null || rank(code) > rank(worst) ? code : worst),
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
