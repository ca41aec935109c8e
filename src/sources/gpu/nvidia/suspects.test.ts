import { expect, test } from "bun:test";
import { Suspects } from "./suspects.ts";

const CARD = "GPU-1";
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
    ...{ card: CARD, extent: "call" },
  });
  expect(suspects.request(3)).toEqual({ read: 3, careful: true, exclude: ["nvmlDeviceGetTemperature@GPU-1"] });
  expect(suspects.notAsked(CARD)).toBe("nvmlDeviceGetTemperature (crashes)");
  expect(suspects.notAsked("GPU-2")).toBeNull();
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
    ...{ card: CARD, extent: "card" },
  });
  expect(suspects.request(4)).toEqual({
    read: 4,
    careful: true,
    exclude: ["nvmlDeviceGetPowerUsage@GPU-2"],
    skip: [CARD],
  });
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
  expect(suspects.notAsked("GPU-3")).toBe("nvmlDeviceGetPowerUsage (hangs)");
  suspects.calls(calling("nvmlDeviceGetTemperature"));
  expect(suspects.fault("hung")).toMatchObject({ card: CARD, extent: "card" });
  expect(suspects.request(4)).toMatchObject({ exclude: ["nvmlDeviceGetPowerUsage@GPU-2"], skip: [CARD] });
  expect(suspects.notAsked("GPU-3")).toBeNull();
});

test("a card that cannot even be opened or named is not asked; without the library's own functions nothing is", () => {
  const suspects = alarmed();
  for (const [name, card] of [
    ["nvmlDeviceGetHandleByIndex_v2", "GPU 3"],
    ["nvmlDeviceGetUUID", "GPU 4"],
  ] as const) {
    suspects.calls(calling(name, card));
    expect(suspects.fault("hung")).toEqual({ fault: "hung", functions: [name], card, extent: "card" });
  }
  suspects.calls(calling("nvmlDeviceGetCount_v2", null));
  expect(suspects.fault("hung")).toBeNull();
  expect(suspects.request(4)).toEqual({ read: 4, careful: true, skip: ["GPU 3", "GPU 4"] });
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
