import { readFileSync } from "node:fs";
import type { Cycle, Reading, Source } from "../source.ts";
import { below } from "./below_root.ts";
import { AT_ONCE } from "./files.ts";
import { parseAuxiliaryVector, parseBootTime, parseMemoryTotal } from "./kernel_units.ts";
import type { CommandMode } from "./mask.ts";
import { ProcessDetails } from "./process_details.ts";
import { type GpuUses, type Machine, pickLargest, processRows } from "./process_rows.ts";
import { type KnownProcess, ProcessTable } from "./process_table.ts";
import { Users } from "./users.ts";

export interface ProcessOptions {
  /** Prefix of `/proc` and `/etc`: `""` is this machine. */
  readonly root: string;
  /** Rows of a frame; those of processes that use a GPU are always all there. */
  readonly limit: number;
  readonly command: CommandMode;
  /** Which process uses which GPUs, asked in every cycle. */
  readonly gpuUses?: (cycle: Cycle) => GpuUses | Promise<GpuUses>;
}

/**
 * The processes of a machine: those that use a GPU, and of the others those that use most CPU or memory. What may not be
 * read (`hidepid`, another user's) is left out or `null`.
 */
export function processSource(options: ProcessOptions): Source {
  const proc = below(options.root, "/proc");
  const units = parseAuxiliaryVector(readBytes(`${proc}/self/auxv`));
  const users = new Users(options.root);
  const table = new ProcessTable(proc, units.ticks_per_second);
  const details = new ProcessDetails(proc, options.command);
  // Read once: the kernel computes it from the wall clock, and start times must not move when that is set.
  const boot_s = parseBootTime(readText(`${proc}/stat`));

  return {
    name: "process",
    fromTwoReadings: true,
    async read(cycle: Cycle): Promise<Reading> {
      const uses: GpuUses = (await options.gpuUses?.(cycle)) ?? new Map();
      const processes = table.update(cycle.monotonic_ms, (pid) => uses.has(pid));
      const { ofGpus, others } = choose(processes, uses, options.limit);
      const shown = [...ofGpus.values(), ...others];
      table.show(shown);
      users.refresh();
      await details.update(shown);
      const memory_bytes = parseMemoryTotal(readText(`${proc}/meminfo`));
      const machine: Machine = { ...units, boot_s, memory_bytes, userName: (uid) => users.name(uid) };
      return { processes: processRows(uses, ofGpus, others, machine) };
    },
    close: () => table.close(),
  };
}

interface Chosen {
  /** Those that use a GPU, by number. */
  readonly ofGpus: ReadonlyMap<number, KnownProcess>;
  readonly others: readonly KnownProcess[];
}

/** Which processes the frame shows. */
function choose(processes: readonly KnownProcess[], uses: GpuUses, limit: number): Chosen {
  const gpuRows = [...uses.values()].reduce((rows, devices) => rows + devices.length, 0);
  const ofGpus = processes.filter(({ pid }) => uses.has(pid)).map((process) => [process.pid, process] as const);
  const others = processes.filter(({ pid }) => !uses.has(pid));
  return { ofGpus: new Map(ofGpus), others: pickLargest(others, limit - gpuRows) };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path, { flag: AT_ONCE });
  } catch {
    return Buffer.alloc(0);
  }
}

const readText = (path: string): string => readBytes(path).toString("latin1");
