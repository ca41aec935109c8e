import { plausible, type Quantity } from "../../../plausible.ts";
import { pciAddress } from "../../registry.ts";
import { mebibytesOf, naturalOf, textOf } from "./cells.ts";

/** A line of the log that `nvidia-smi -q` prints, with those that are indented below it. */
interface Entry {
  readonly key: string;
  /** What stands behind the colon; of a heading, nothing. */
  readonly value: string;
  readonly entries: Entry[];
}

/** An instance of a card in MIG mode, as the log has it: without UUID and profile. */
export interface LogInstance {
  readonly device: number;
  readonly gpu_instance: number | null;
  readonly compute_instance: number | null;
  /** Bytes. */
  readonly used_memory: number | null;
  readonly total_memory: number | null;
}

/** What of a card only the log tells. */
export interface LogCard {
  readonly brand: string | null;
  readonly architecture: string | null;
  readonly gsp_version: string | null;
  readonly shutdown_c: number | null;
  readonly slowdown_c: number | null;
  readonly max_operating_c: number | null;
  readonly target_c: number | null;
  readonly clock_video_max: number | null;
  /** The graphics clock that a user can have at most, MHz. */
  readonly clock_boost_max: number | null;
  readonly replays: number | null;
  readonly instances: readonly LogInstance[];
}

export interface Log {
  /** The newest CUDA that the driver can do, `13.1`. */
  readonly cuda_version: string | null;
  /** By PCI address as the kernel writes it. */
  readonly cards: ReadonlyMap<string, LogCard>;
}

export function parseLog(text: string): Log {
  const log = entriesOf(text);
  const cards = new Map<string, LogCard>();
  for (const { key, entries } of log) {
    const pci = key.startsWith("GPU ") ? pciAddress(key.slice("GPU ".length)) : null;
    if (pci !== null) cards.set(pci, cardOf(entries));
  }
  return { cuda_version: textAt(log, "CUDA Version"), cards };
}

interface Measure {
  readonly quantity: Quantity;
  readonly unit: string;
}

const LIMIT: Measure = { quantity: "limit_celsius", unit: "C" };
const CLOCK: Measure = { quantity: "megahertz_max", unit: "MHz" };

function cardOf(entries: readonly Entry[]): LogCard {
  const temperature = at(entries, "Temperature");
  return {
    brand: textAt(entries, "Product Brand"),
    architecture: textAt(entries, "Product Architecture"),
    gsp_version: textAt(entries, "GSP Firmware Version"),
    // Newer cards have margins in their place (`GPU Shutdown T.Limit Temp`), which are no temperatures.
    shutdown_c: amountAt(temperature, "GPU Shutdown Temp", LIMIT),
    slowdown_c: amountAt(temperature, "GPU Slowdown Temp", LIMIT),
    max_operating_c: amountAt(temperature, "GPU Max Operating Temp", LIMIT),
    target_c: amountAt(temperature, "GPU Target Temperature", LIMIT),
    clock_video_max: amountAt(at(entries, "Max Clocks"), "Video", CLOCK),
    clock_boost_max: amountAt(at(entries, "Max Customer Boost Clocks"), "Graphics", CLOCK),
    replays: plausible("count", naturalOf(valueAt(at(entries, "PCI"), "Replays Since Reset"))),
    instances: entries.filter(({ key }) => key === "MIG Device").flatMap((entry) => instanceOf(entry.entries)),
  };
}

function instanceOf(entries: readonly Entry[]): LogInstance[] {
  const device = naturalOf(valueAt(entries, "Index"));
  if (device === null) return [];
  const memory = at(entries, "Shared FB Memory Usage", "FB Memory Usage");
  return [
    {
      device,
      gpu_instance: naturalOf(valueAt(entries, "GPU Instance ID")),
      compute_instance: naturalOf(valueAt(entries, "Compute Instance ID")),
      used_memory: plausible("bytes", bytesAt(memory, "Used")),
      total_memory: plausible("memory_size", bytesAt(memory, "Total")),
    },
  ];
}

/** `Product Name   : NVIDIA H100`; the value is empty where there is none. No pattern: those take time squared. */
function keyAndValue(text: string): Pick<Entry, "key" | "value"> {
  const at = text.indexOf(" : ");
  if (at < 0) return { key: text.trimEnd(), value: "" };
  return { key: text.slice(0, at).trimEnd(), value: text.slice(at + 3).trim() };
}

function entriesOf(text: string): Entry[] {
  const root: Entry[] = [];
  const open: { readonly indent: number; readonly entries: Entry[] }[] = [{ indent: -1, entries: root }];
  for (const line of text.split("\n")) {
    const text = line.trimStart();
    if (text === "") continue;
    const indent = line.length - text.length;
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
    const entry: Entry = { ...keyAndValue(text), entries: [] };
    open.at(-1)?.entries.push(entry);
    open.push({ indent, entries: entry.entries });
  }
  return root;
}

function at(entries: readonly Entry[], ...keys: readonly string[]): readonly Entry[] {
  return entries.find(({ key }) => keys.includes(key))?.entries ?? [];
}

function valueAt(entries: readonly Entry[], key: string): string {
  return entries.find((entry) => entry.key === key)?.value ?? "";
}

const textAt = (entries: readonly Entry[], key: string): string | null => textOf(valueAt(entries, key));

/** A number behind which its unit stands: `101 C`. */
function amountAt(entries: readonly Entry[], key: string, { quantity, unit }: Measure): number | null {
  const [amount = "", itsUnit] = valueAt(entries, key).split(" ");
  return itsUnit === unit ? plausible(quantity, naturalOf(amount)) : null;
}

function bytesAt(entries: readonly Entry[], key: string): number | null {
  const [amount = "", unit] = valueAt(entries, key).split(" ");
  return unit === "MiB" ? mebibytesOf(amount) : null;
}
