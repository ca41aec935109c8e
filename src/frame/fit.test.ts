import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { nvidiaFrame } from "../../test/frames.ts";
import { decodeLine } from "./decode.ts";
import { frameLine } from "./encode.ts";
import { fitLine } from "./fit.ts";
import type { Frame } from "./frame.ts";

const lengthOf = (frame: Frame): number => Buffer.byteLength(frameLine(frame));

function fitted(frame: Frame, maxBytes: number): { frame: Frame; said: string | undefined; bytes: number } {
  const text = fitLine(frame, maxBytes, frameLine);
  const line = decodeLine(text);
  if (line.kind !== "frame") throw new Error(line.kind);
  const said = line.frame.errors.find((error) => error.startsWith("recording: "));
  return { frame: line.frame, said, bytes: Buffer.byteLength(text) };
}

/** The same machine several times over. */
function cluster(hosts: number): Frame {
  const named = <T extends { host_id: string }>(devices: readonly T[] | undefined, n: number): T[] =>
    (devices ?? []).map((device) => ({ ...device, host_id: `node-${n}` }));
  const of = <T extends { host_id: string }>(devices: readonly T[] | undefined): T[] =>
    Array.from({ length: hosts }, (_, n) => named(devices, n)).flat();
  const { gpus, cpus, memory, chassis, storage } = nvidiaFrame;
  return {
    ...nvidiaFrame,
    ...{ gpus: of(gpus), cpus: of(cpus), memory: of(memory), chassis: of(chassis), storage: of(storage) },
  };
}

describe("a line that is too long", () => {
  const whole = lengthOf(nvidiaFrame);
  const withoutProcesses = lengthOf({ ...nvidiaFrame, processes: [] });

  test("one that fits to the byte stays as it is", () => {
    expect(fitLine(nvidiaFrame, whole, frameLine)).toBe(frameLine(nvidiaFrame));
    expect(fitted(nvidiaFrame, whole).said).toBeUndefined();
  });

  test("loses processes first", () => {
    const { frame, said } = fitted(nvidiaFrame, whole - 1);
    expect(said).toBe("recording: too long, without processes");
    expect("processes" in frame).toBe(false);
    const { processes: _, ...rest } = nvidiaFrame;
    expect(frame).toEqual({ ...rest, errors: [...nvidiaFrame.errors, said ?? ""] });
  });

  test("so does a short one of more objects than a reader takes", () => {
    const [row] = nvidiaFrame.processes ?? [];
    if (row === undefined) throw new Error("no process");
    const processes = Array.from({ length: 300_000 }, (_, pid) => ({ ...row, pid, command: "" }));
    const { frame, said } = fitted({ ...nvidiaFrame, processes }, Number.POSITIVE_INFINITY);
    expect(said).toBe("recording: too long, without processes");
    expect(frame.gpus).toEqual(nvidiaFrame.gpus ?? []);
  });

  test("then per-core values", () => {
    const { frame, said } = fitted(nvidiaFrame, withoutProcesses - 50);
    expect(said).toBe("recording: too long, without processes, per-core values");
    expect(frame.cpus?.map(({ per_core_utilization }) => per_core_utilization)).toEqual([[]]);
    expect(frame.cpus?.[0]?.per_socket_info).toEqual(nvidiaFrame.cpus?.[0]?.per_socket_info ?? []);
    expect(frame.gpus).toEqual(nvidiaFrame.gpus ?? []);
  });

  test("then the counters of links", () => {
    const { frame, said } = fitted(nvidiaFrame, withoutProcesses - 300);
    expect(said).toBe("recording: too long, without processes, per-core values, link counters");
    expect(frame.gpus?.every(({ health }) => health && !("nvlink" in health) && health.pcie)).toBe(true);
  });

  test("then whole hosts, and never half a one", () => {
    const frame = cluster(16);
    const { frame: left, said } = fitted(frame, lengthOf(frame) / 3);
    expect(said).toBe("recording: too long, without processes, per-core values, link counters, 12 of 16 hosts");
    const hosts = new Set(["node-0", "node-1", "node-2", "node-3"]);
    for (const name of ["gpus", "cpus", "memory", "chassis", "storage"] as const) {
      const devices: { host_id: string }[] = left[name] ?? [];
      expect([name, new Set(devices.map(({ host_id }) => host_id))]).toEqual([name, hosts]);
      expect(devices.length).toBe((frame[name]?.length ?? 0) / 4);
    }
  });

  test("keeps what belongs to no host", () => {
    const scrapes = [{ host: "a", hostname: "a", up: false, latency_ms: null, error: "refused" }];
    const { frame, said } = fitted({ ...cluster(2), scrapes, seq: 9 }, 1000);
    expect(said).toContain("2 of 2 hosts");
    const { seq, errors, hostname, gpus } = frame;
    expect([seq, errors[0], hostname, gpus, frame.scrapes]).toEqual([9, nvidiaFrame.errors[0], "dgx-01", [], scrapes]);
  });

  test("is measured in bytes, not in characters", () => {
    const frame = { ...nvidiaFrame, hostname: "温".repeat(2000) };
    const { bytes } = fitted(frame, lengthOf(frame) - 1);
    expect(bytes).toBeLessThan(lengthOf(frame));
  });
});

test("any frame fits, or has nothing left to leave out", () => {
  fc.assert(
    fc.property(frameArbitrary, fc.integer({ min: 0, max: 8000 }), (frame, maxBytes) => {
      const { frame: left, bytes } = fitted(frame, maxBytes);
      if (bytes <= maxBytes) return;
      const { gpus = [], cpus = [], memory = [], chassis = [], storage = [] } = left;
      expect([gpus, cpus, memory, chassis, storage].flat()).toEqual([]);
      expect("processes" in left).toBe(false);
    }),
  );
});
