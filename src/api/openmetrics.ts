/** The media type of {@link openMetricsText}. */
export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** A label with its value, and what parts it from the next one. */
const LABEL = /("(?:[^"\\]|\\.)*"), /g;
const COUNTER = /^# TYPE (\S+)_total counter$/;
const TOTAL = /^(# HELP \S+)_total /;

/**
 * Our own Prometheus text as OpenMetrics 1.0: a counter's family is named without the `_total` of its series, labels
 * are parted by a comma alone, and the text says where it ends.
 */
export function openMetricsText(text: string): string {
  const lines = text.split("\n");
  for (const [n, line] of lines.entries()) {
    if (!line.startsWith("#")) lines[n] = line.replace(LABEL, "$1,");
    else if (COUNTER.test(line)) {
      lines[n] = line.replace(COUNTER, "# TYPE $1 counter");
      lines[n - 1] = lines[n - 1]?.replace(TOTAL, "$1 ") ?? "";
    }
  }
  return `${lines.join("\n")}# EOF\n`;
}
