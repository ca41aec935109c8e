import { describe, expect, test } from "bun:test";
import { lostCardIn, refusedIn, sentenceOf } from "./complaint.ts";

describe("a card that cannot be opened", () => {
  test.each([
    ["GPU 0000:0B:00.0: Unknown Error", null, "0000:0b:00.0", "Unknown Error"],
    ["GPU0000:65:00.0: Unknown Error", null, "0000:65:00.0", "Unknown Error"],
    ["GPU1: 0000:34:00.0: Unknown Error", 1, "0000:34:00.0", "Unknown Error"],
    ["GPU1: Unknown Error", 1, null, "Unknown Error"],
    ["gpu 00000000:0C:00.0: GPU is lost.  Reboot the system to recover this GPU", null, "0000:0c:00.0", "GPU is lost"],
  ])("is named by %p", (end, index, pci, reason) => {
    expect(lostCardIn(`Unable to determine the device handle for ${end}`)).toEqual({ index, pci, reason });
  });

  test("is not what other words are about", () => {
    expect(lostCardIn("No devices were found")).toBeNull();
  });
});

describe("what nvidia-smi said before it ended", () => {
  test.each([
    [
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
      "the driver is not loaded",
    ],
    ["Failed to initialize NVML: Driver/library version mismatch", "the driver was updated since it was loaded"],
    ["Failed to initialize NVML: Unknown Error", "nvidia-smi: Failed to initialize NVML: Unknown Error"],
    ["", "nvidia-smi ended with status 9"],
  ])("of %p a person is told %p", (said, sentence) => {
    expect(sentenceOf(said.split("\n"), "ended with status 9")).toStartWith(sentence);
  });
});

test("what nvidia-smi said on its other output is in how it ended", () => {
  const ending = "ended with status 18: Failed to initialize NVML: Driver/library version mismatch";
  expect(sentenceOf([], ending)).toStartWith("the driver was updated since it was loaded");
});

test("a field that it does not know is told by its name", () => {
  expect(refusedIn('Field "gsp.mode.current" is not a valid field to query.')).toEqual(["gsp.mode.current"]);
  expect(refusedIn("No devices were found")).toEqual([]);
});
