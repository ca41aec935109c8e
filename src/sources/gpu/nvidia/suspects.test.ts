import { expect, test } from "bun:test";
import { Suspects } from "./suspects.ts";

const CARD = "GPU-1";
const rowOf = (uuid: string, index: number, mig: [] | null = null) => ({ uuid, index, mig });
const calling = (name: string, card: string | null = CARD) => ({ calling: name, card });

/** Suspects of which the first fault has been seen, so that readings are careful. */
function alarmed(): Suspects {
  const suspects = new Suspects();
  suspects.request(1);
  expect(suspects.fault("crashed")).toBeNull();
  return suspects;
}

test("nothing is asked for but the reading while all is well", () => {
  const suspects = new Suspects();
  expect(suspects.request(7)).toEqual({ read: 7 });
  suspects.answered();
  expect(suspects.request(8)).toEqual({ read: 8 });
});

test("after a fault ten readings are careful, after the next one without a name a hundred", () => {
  const suspects = alarmed();
  const careful = () => {
    let count = 0;
    for (; suspects.request(count).careful === true; count++) suspects.answered();
    return count;
  };
  expect(careful()).toBe(10);
  suspects.fault("hung");
  expect(careful()).toBe(100);
});

test("the first reading of a helper is careful, also between others that are", () => {
  const suspects = new Suspects();
  suspects.begin();
  expect(suspects.request(1)).toEqual({ read: 1, careful: true });
  suspects.answered();
  expect(suspects.request(2)).toEqual({ read: 2 });
  suspects.fault("hung");
  suspects.begin();
  suspects.request(3);
  suspects.answered();
  expect(suspects.request(4).careful).toBe(true);
});

test("a function that is called when the helper is lost is not called any more for that card", () => {
  const suspects = alarmed();
  suspects.calls(calling("nvmlDeviceGetPowerUsage"));
  suspects.calls(calling("nvmlDeviceGetTemperature"));
  expect(suspects.fault("crashed")).toEqual({
    ...{ fault: "crashed", functions: ["nvmlDeviceGetTemperature"] },
    ...{ card: CARD, place: CARD, extent: "call" },
  });
  expect(suspects.request(3)).toEqual({ read: 3, careful: true, exclude: ["nvmlDeviceGetTemperature@GPU-1"] });
  expect(suspects.notAsked(rowOf(CARD, 1))).toBe("nvmlDeviceGetTemperature (crashes)");
  expect(suspects.notAsked(rowOf("GPU-2", 2))).toBeNull();
});

test("what was called in a reading that was answered is not to blame", () => {
  const suspects = alarmed();
  suspects.calls(calling("nvmlDeviceGetPowerUsage"));
  suspects.answered();
  suspects.request(2);
  expect(suspects.fault("hung")).toBeNull();
  expect(suspects.request(3).exclude).toBeUndefined();
});

test("a card that hangs in two functions is not asked, and the functions are asked of the others", () => {
  const suspects = alarmed();
  suspects.calls(calling("nvmlDeviceGetPowerUsage", "GPU-2"));
  suspects.fault("hung");
  suspects.calls(calling("nvmlDeviceGetTemperature"));
  suspects.fault("hung");
  expect(suspects.request(3).exclude).toEqual(["nvmlDeviceGetPowerUsage@GPU-2", "nvmlDeviceGetTemperature@GPU-1"]);
  suspects.calls(calling("nvmlDeviceGetMemoryInfo_v2"));
  expect(suspects.fault("hung")).toEqual({
    ...{ fault: "hung", functions: ["nvmlDeviceGetTemperature", "nvmlDeviceGetMemoryInfo_v2"] },
    ...{ card: CARD, place: CARD, extent: "card" },
  });
  expect(suspects.request(4)).toEqual({
    read: 4,
    careful: true,
    exclude: ["nvmlDeviceGetPowerUsage@GPU-2"],
    skip: [CARD],
  });
  expect(suspects.notAsked(rowOf(CARD, 1))).toBe(
    "everything: nvmlDeviceGetTemperature (hangs), nvmlDeviceGetMemoryInfo_v2 (hangs)",
  );
});

test("a function that hangs with a second card is asked of none, unless one of the two is given up itself", () => {
  const suspects = alarmed();
  for (const [card, extent] of [
    ["GPU-2", "call"],
    [CARD, "all cards"],
  ] as const) {
    suspects.calls(calling("nvmlDeviceGetPowerUsage", card));
    expect(suspects.fault("hung")).toMatchObject({ card, extent });
  }
  expect(suspects.request(3).exclude).toEqual(["nvmlDeviceGetPowerUsage"]);
  expect(suspects.notAsked(rowOf("GPU-3", 3))).toBe("nvmlDeviceGetPowerUsage (hangs)");
  suspects.calls(calling("nvmlDeviceGetTemperature"));
  expect(suspects.fault("hung")).toMatchObject({ card: CARD, extent: "card" });
  expect(suspects.request(4)).toMatchObject({ exclude: ["nvmlDeviceGetPowerUsage@GPU-2"], skip: [CARD] });
  expect(suspects.notAsked(rowOf("GPU-3", 3))).toBeNull();
});

test("a card that cannot even be opened or named is not asked; without the library's own functions nothing is", () => {
  const suspects = alarmed();
  for (const [name, card] of [
    ["nvmlDeviceGetHandleByIndex_v2", "GPU 3"],
    ["nvmlDeviceGetUUID", "GPU 4"],
  ] as const) {
    suspects.calls(calling(name, card));
    expect(suspects.fault("hung")).toEqual({ fault: "hung", functions: [name], card, place: card, extent: "card" });
  }
  suspects.calls(calling("nvmlDeviceGetCount_v2", null));
  expect(suspects.fault("hung")).toBeNull();
  expect(suspects.request(4)).toEqual({ read: 4, careful: true, skip: ["GPU 3", "GPU 4"] });
  expect(suspects.notAsked(rowOf("GPU 3", 3))).toBe("everything: nvmlDeviceGetHandleByIndex_v2 (hangs)");
  expect(suspects.notAsked(rowOf("GPU-4", 4))).toBe("everything: nvmlDeviceGetUUID (hangs)");
});

test("a MIG instance is never given up, as nothing names it but what it was not lost by; two are all of them", () => {
  const suspects = alarmed();
  const instance = `${CARD} MIG 0`;
  suspects.calls(calling("nvmlDeviceGetUUID", instance));
  expect(suspects.fault("crashed")).toMatchObject({ functions: ["nvmlDeviceGetUUID"], card: instance, extent: "call" });
  expect(suspects.request(3).exclude).toEqual([`nvmlDeviceGetUUID@${instance}`]);
  for (const name of ["nvmlDeviceGetName", "nvmlDeviceGetMemoryInfo_v2"]) {
    suspects.calls(calling(name, "MIG-1"));
    expect(suspects.fault("crashed")).toMatchObject({ functions: [name], card: "MIG-1", extent: "call" });
  }
  suspects.calls(calling("nvmlDeviceGetUUID", "GPU-2 MIG 0"));
  expect(suspects.fault("crashed")).toMatchObject({ card: "GPU-2 MIG 0", extent: "all instances" });
  expect(suspects.request(4)).toEqual({
    ...{ read: 4, careful: true },
    exclude: ["nvmlDeviceGetUUID@MIG", "nvmlDeviceGetName@MIG-1", "nvmlDeviceGetMemoryInfo_v2@MIG-1"],
  });
  expect(suspects.notAsked(rowOf(CARD, 1))).toBeNull();
});

test("what an instance is not asked stands with its card, and what none is, with all that are divided", () => {
  const suspects = alarmed();
  suspects.calls(calling("nvmlDeviceGetHandleByIndex_v2", "GPU 1"));
  suspects.calls(calling("nvmlDeviceGetPciInfo_v3", CARD));
  const name = "nvmlDeviceGetUUID";
  suspects.calls(calling(name, `${CARD} MIG 2`));
  suspects.fault("crashed");
  expect(suspects.notAsked(rowOf(CARD, 1, []))).toBe(`${name} of MIG 2 (crashes)`);
  expect(suspects.notAsked(rowOf("GPU-11", 11, []))).toBeNull();
  suspects.calls(calling(name, `${CARD} MIG 3`));
  suspects.fault("hung");
  for (const index of [1, 11]) {
    expect(suspects.notAsked(rowOf(`GPU-${index}`, index, []))).toBe(`${name} of any MIG instance (hangs)`);
  }
  expect(suspects.notAsked(rowOf("GPU-3", 3))).toBeNull();
});

test("what an instance is not asked its card is, until two cards are not", () => {
  const suspects = alarmed();
  for (const card of ["MIG-1", "GPU-2"]) {
    suspects.calls(calling("nvmlDeviceGetMemoryInfo_v2", card));
    expect(suspects.fault("crashed")).toMatchObject({ card, extent: "call" });
  }
  const [ofCard, ofInstance] = ["nvmlDeviceGetMemoryInfo_v2@GPU-2", "nvmlDeviceGetMemoryInfo_v2@MIG-1"];
  expect(suspects.request(3).exclude).toEqual([ofCard, ofInstance]);
  expect(suspects.notAsked(rowOf("GPU-3", 3))).toBeNull();
  suspects.calls(calling("nvmlDeviceGetMemoryInfo_v2", "GPU-3"));
  expect(suspects.fault("crashed")).toMatchObject({ extent: "all cards" });
  expect(suspects.request(4).exclude).toEqual(["nvmlDeviceGetMemoryInfo_v2"]);
});

test("a card is called by its number, also in the reading in which its UUID is read first", () => {
  const suspects = new Suspects();
  suspects.begin();
  suspects.request(1);
  for (const n of [0, 1]) {
    suspects.calls(calling("nvmlDeviceGetHandleByIndex_v2", `GPU ${n}`));
    suspects.calls(calling("nvmlDeviceGetUUID", `GPU ${n}`));
    suspects.calls(calling("nvmlDeviceGetPciInfo_v3", `GPU-${n}a`));
  }
  suspects.calls(calling("nvmlDeviceGetMigDeviceHandleByIndex", "GPU-0a"));
  suspects.calls(calling("nvmlDeviceGetUUID", "GPU-0a MIG 3"));
  suspects.calls(calling("nvmlDeviceGetGpuInstanceId", "MIG-5"));
  expect(suspects.calling).toBe("nvmlDeviceGetGpuInstanceId of GPU 0 MIG 3");
  suspects.calls(calling("nvmlDeviceGetPowerUsage", "GPU-1a"));
  expect(suspects.fault("hung")).toMatchObject({ card: "GPU-1a", place: "GPU 1" });
});

test("a function of no card that crashes twice is excluded once for each name", () => {
  const suspects = alarmed();
  for (const name of ["nvmlEventSetWait_v2", "nvmlSystemGetDriverVersion"]) {
    suspects.calls(calling(name, null));
    suspects.fault("crashed");
  }
  expect(suspects.request(4).exclude).toEqual(["nvmlEventSetWait_v2", "nvmlSystemGetDriverVersion"]);
});

test("with the driver exchanged everything is asked again", () => {
  const suspects = alarmed();
  suspects.calls(calling("nvmlDeviceGetUUID", "GPU 4"));
  suspects.fault("hung");
  suspects.clear();
  expect(suspects.request(5)).toEqual({ read: 5 });
});
