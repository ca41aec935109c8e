import type { FrameEvent } from "../../../frame/schema.ts";
import { severities } from "../../../frame/severity.ts";
import type { DriverHung, GivenUp } from "./way.ts";

/** `the driver hangs in nvmlDeviceGetPowerUsage; not asked any more` */
export function givenUpText({ fault, functions, extent }: GivenUp): string {
  const what = fault === "hung" ? "the driver hangs in" : "the driver's library crashes in";
  const names = functions.join(" and ");
  switch (extent) {
    case "call":
      return `${what} ${names}; not asked any more`;
    case "all cards":
      return `${what} ${names} of a second card; not asked any more of any`;
    case "all instances":
      return `${what} ${names} of a second MIG instance; not asked any more of any`;
    case "card":
      return `${what} ${names}; this card is not asked any more`;
  }
}

/** The event of a frame; `device`: for which it happened. */
export const givenUpEvent = (givenUp: GivenUp, device: string | null, t_ms: number, host_id: string): FrameEvent => ({
  kind: "hang",
  severity: severities.hang,
  t: new Date(t_ms).toISOString(),
  host: host_id,
  device,
  text: givenUpText(givenUp),
});

/** That of a driver in which a process is stuck. */
export const hungEvent = ({ message }: DriverHung, t_ms: number, host_id: string): FrameEvent => ({
  kind: "hang",
  severity: severities.hang,
  t: new Date(t_ms).toISOString(),
  host: host_id,
  device: null,
  text: message,
});
