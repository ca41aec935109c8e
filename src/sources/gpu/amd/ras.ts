import { parseNatural, type Tree } from "../../local/files.ts";
import { plausible } from "../../plausible.ts";

/** Errors that the card's memories and caches found, since the driver was loaded; `null`: this card does not watch. */
export interface RasCounts {
  readonly corrected: number | null;
  readonly uncorrected: number | null;
  /** Which of its parts they were in, by the driver's names: `umc, xgmi_wafl`; `null`: in none that is known. */
  readonly corrected_in: string | null;
  readonly uncorrected_in: string | null;
  /** Pages of its memory that are out of use for their errors, for as long as it lives. */
  readonly retired_pages: number | null;
  /** Pages that cannot be taken out of use until the driver is loaded again. */
  readonly pending_pages: number | null;
}

/** The kernel's amdgpu documentation, "RAS Error Count sysfs Interface" and "RAS VRAM Bad Pages sysfs Interface". */
export async function readRas(tree: Tree, folder: string): Promise<RasCounts> {
  const files = tree.names(`${folder}ras`).filter((name) => name.endsWith(COUNT_FILE));
  const counts = new Map<string, ErrorCounts | null>();
  for (const file of files) {
    counts.set(file.slice(0, -COUNT_FILE.length), parseErrorCount(await tree.textLater(`${folder}ras/${file}`)));
  }
  const pages = await tree.bytesLater(`${folder}ras/gpu_vram_bad_pages`);
  return {
    ...totalOf([...counts.values()]),
    corrected_in: partsWith(counts, "corrected"),
    uncorrected_in: partsWith(counts, "uncorrected"),
    ...parseBadPages(pages?.toString("latin1") ?? null),
  };
}

const COUNT_FILE = "_err_count";

function partsWith(counts: ReadonlyMap<string, ErrorCounts | null>, kind: keyof ErrorCounts): string | null {
  const parts = [...counts].flatMap(([part, count]) => (count !== null && count[kind] > 0 ? [part] : []));
  return parts.length === 0 ? null : parts.join(", ");
}

interface ErrorCounts {
  readonly uncorrected: number;
  readonly corrected: number;
}

/** Without one of its parts it is not known. */
function totalOf(counts: readonly (ErrorCounts | null)[]): Pick<RasCounts, "corrected" | "uncorrected"> {
  const known = counts.filter((one) => one !== null);
  if (known.length === 0 || known.length < counts.length) return { corrected: null, uncorrected: null };
  return {
    corrected: known.reduce((sum, one) => sum + one.corrected, 0),
    uncorrected: known.reduce((sum, one) => sum + one.uncorrected, 0),
  };
}

/** Of one part of the card: `ue: 0`, `ce: 1`. */
export function parseErrorCount(text: string | null): ErrorCounts | null {
  const count = (kind: string): number | null =>
    plausible("count", parseNatural(new RegExp(`^${kind}: (\\d{1,15})$`, "m").exec(text ?? "")?.[1] ?? null));
  const [uncorrected, corrected] = [count("ue"), count("ce")];
  return uncorrected === null || corrected === null ? null : { uncorrected, corrected };
}

const BAD_PAGE = /^0x[0-9a-f]+ : 0x[0-9a-f]+ : ([RPF])$/i;

/**
 * Lines of `address : size : state`, the state being R (out of use), P (will be) or F (could not be); none at all where
 * no page is bad.
 */
export function parseBadPages(text: string | null): Pick<RasCounts, "retired_pages" | "pending_pages"> {
  const states = text
    ?.split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => BAD_PAGE.exec(line.trim())?.[1]);
  if (states === undefined || states.includes(undefined)) return { retired_pages: null, pending_pages: null };
  const retired_pages = states.filter((state) => state?.toUpperCase() === "R").length;
  return { retired_pages, pending_pages: states.length - retired_pages };
}
