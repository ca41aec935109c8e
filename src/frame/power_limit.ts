import type { Gpu } from "./schema.ts";

/** Where texts of `detail` have it, that in force first. */
const STATED = ["power_limit_current", "power_limit_default", "power_limit_max"] as const;

/** The power limit in force, W, as far as a row tells; `null` where nobody says. A limit of 0 W is none. */
export function powerLimit_w({ health, detail }: Pick<Gpu, "health" | "detail">): number | null {
  const known = health?.power_limit_watts ?? 0;
  if (known > 0) return known;
  for (const key of STATED) {
    const watts = Number.parseFloat(detail[key] ?? "");
    if (watts > 0 && Number.isFinite(watts)) return watts;
  }
  return null;
}
