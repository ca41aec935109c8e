import { test } from "bun:test";
import { C_COMPILER } from "./nvml_stub.ts";

/** A test with a process that loads the stub of NVIDIA's library; skipped where there is no C compiler to make one. */
export const driverTest = test.skipIf(C_COMPILER === null);
