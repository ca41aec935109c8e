import { prefersOpenMetrics } from "./accept.ts";
import { type Ask, answer } from "./answer.ts";
import { Body } from "./body.ts";
import { cycleText, type ServiceCounts, serviceText } from "./health.ts";
import { OPEN_METRICS_TYPE, openMetricsText } from "./openmetrics.ts";
import { prometheusText, prometheusTextWithoutFrame } from "./prometheus.ts";
import type { Build } from "./rows.ts";
import type { ServedCycle } from "./served_cycle.ts";
import type { ServedFeed } from "./served_feed.ts";

export interface MetricsOptions {
  readonly feed: ServedFeed;
  readonly hostname: string;
  readonly build: Build;
}

const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/metrics`: the text of a cycle is written once, however many ask. Without a current cycle it says that. */
export function metricsRoute({ feed, hostname, build }: MetricsOptions, counts: () => ServiceCounts) {
  const textOf = (cycle: ServedCycle | null): string =>
    (cycle === null
      ? prometheusTextWithoutFrame(hostname, build)
      : prometheusText(cycle.frame, build) + cycleText(hostname, cycle.frame.t_ms, cycle.health)) +
    serviceText(hostname, counts());
  return (c: Ask): Response => {
    const { current } = feed;
    const isOpen = prefersOpenMetrics(c.req.header("accept"));
    const make = () => (isOpen ? openMetricsText(textOf(current)) : textOf(current));
    const body = current?.metricsBody(isOpen ? "openmetrics" : "text", make) ?? new Body(make());
    return answer(c, body, isOpen ? OPEN_METRICS_TYPE : TEXT_TYPE);
  };
}
