import { expect, test } from "bun:test";
import { powerLimit_w } from "./power_limit.ts";

const stated = (detail: Record<string, string>, power_limit_watts: number | null = null) =>
  powerLimit_w({ health: { power_limit_watts }, detail });

test("the limit in force comes first, then what texts say, the nearest to it first", () => {
  const all = { power_limit_current: "500.00", power_limit_default: "600.00", power_limit_max: "700.00" };
  expect(stated(all, 450)).toBe(450);
  expect(stated(all)).toBe(500);
  expect(stated({ ...all, power_limit_current: "N/A" })).toBe(600);
  expect(stated({ power_limit_max: "700.00" })).toBe(700);
  expect(powerLimit_w({ health: null, detail: all })).toBe(500);
});

test("nothing, no number, and a limit of nothing are unknown", () => {
  expect(powerLimit_w({ health: null, detail: {} })).toBeNull();
  for (const text of ["N/A", "0.00", "-1", "Infinity"]) expect(stated({ power_limit_current: text })).toBeNull();
  expect(stated({ power_limit_default: "300.00" }, 0)).toBe(300);
});
