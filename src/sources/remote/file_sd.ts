import { oneLine, UsageError } from "../../errors.ts";
import { isObject } from "../../frame/decode.ts";
import { endpointOf, type TargetList } from "./targets.ts";

/**
 * The JSON that Prometheus reads as `file_sd_configs`: `[{"targets": ["a:9100"], "labels": {…}}]`. Of the labels only
 * `__scheme__` and `__metrics_path__` say where to ask.
 */

/** A line of hosts may begin with a bracket as well: `[fd00::1]:9090`. */
export const isFileSd = (text: string, file: string): boolean =>
  file.endsWith(".json") || /^\s*(?:\[\s*[{\]]|\{)/.test(text);

export function addFileSd(text: string, file: string, list: TargetList): void {
  for (const [n, group] of parse(text, file).entries()) {
    const place = `${file}: group ${n + 1}`;
    if (!isObject(group) || !Array.isArray(group.targets)) throw new UsageError(`${place}: has no "targets"`);
    const labels = isObject(group.labels) ? group.labels : {};
    for (const target of group.targets as unknown[]) {
      if (typeof target !== "string")
        throw new UsageError(`${place}: ${JSON.stringify(target)?.slice(0, 80)} is no host`);
      const scheme = typeof labels.__scheme__ === "string" ? `${labels.__scheme__}://` : "";
      const path = typeof labels.__metrics_path__ === "string" ? labels.__metrics_path__ : "";
      list.addEndpoints(null, [endpointOf(scheme + target + path, place)], place);
    }
  }
}

function parse(text: string, file: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: no JSON: ${oneLine(error)}`);
  }
  if (!Array.isArray(value)) throw new UsageError(`${file}: not a list, as file_sd_configs have it`);
  return value;
}
