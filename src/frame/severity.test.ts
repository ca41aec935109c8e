import { describe, expect, test } from "bun:test";
import { saidSeverity } from "./severity.ts";

const said = (words: string) => saidSeverity("warning", words);

describe("what calls itself fatal or asks for a reboot is critical", () => {
  test.each([
    "Fatal",
    "FATAL error",
    "fatal_error",
    "ERR_FATAL",
    "UncorrectableFatal",
    "Uncorrectable (Fatal)",
    "NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6)",
    "uvm encountered global fatal error 0x60, requiring os reboot to recover.",
    "fatal: link lost",
    "needs a reboot",
    "Node Reboot Required",
    "please re-boot",
    "GPU reset failed, reboot",
    "power cycle the machine",
    "restart the system",
    "not corrected, fatal",
    "nonfatal errors, then a fatal one",
  ])("%p", (words) => {
    expect(said(words)).toBe("critical");
    expect(saidSeverity("info", words)).toBe("critical");
  });
});

describe("what does not is as bad as it usually is", () => {
  test.each([
    "",
    "nonfatal",
    "Nonfatal",
    "non-fatal",
    "Non-Fatal",
    "non fatal",
    "NON_FATAL",
    "ERR_NONFATAL",
    "NonFatalErr+",
    "Uncorrectable (Non-Fatal)",
    "RLW_SRC_TRACK Nonfatal XC0 i0 Link 02",
    "not fatal",
    "this is not a fatal error",
    "isn't fatal",
    "not considered fatal",
    "no fatal errors",
    "fatal: 0",
    "fatal=0",
    "fatal_errors: 0",
    "correctable",
    "Corrected error",
    "no reboot",
    "without a reboot",
    "does not require a reboot",
    "reboot is not needed",
    "reboot not required",
    "since it was rebooted",
    "bootstrap",
  ])("%p", (words) => {
    expect(said(words)).toBe("warning");
    expect(saidSeverity("info", words)).toBe("info");
  });
});

test("words of any length are looked through in a moment", () => {
  for (const piece of ["n", "not ", "fatal: 0 ", "non-", " ", "no reboot ", "n't an ", "_", "\u{1f4a5}"]) {
    expect(said(piece.repeat(1_000_000 / piece.length))).toBe("warning");
  }
});
