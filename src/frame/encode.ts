import { deviceEncoder, type Encoded } from "./device_encoder.ts";
import { type Frame, SCHEMA } from "./frame.ts";
import { eventFields, type SectionName, scrapeFields, sections } from "./schema.ts";

const sectionEncoders = Object.entries(sections).map(([name, fields]) => ({
  name: name as SectionName,
  encode: deviceEncoder(fields),
}));
const encodeScrape = deviceEncoder(scrapeFields);
const encodeEvent = deviceEncoder(eventFields);

/** RFC 3339, UTC, milliseconds. */
export const formatTime = (t_ms: number): string => new Date(t_ms).toISOString();

/**
 * A frame as the one line (without its newline) that recordings, snapshots and streams carry. Keys stand in the order
 * of the schema; `timestamp` is `t` in whole seconds, for the Rust tool's reader.
 */
export function frameLine(frame: Frame): string {
  const t = formatTime(frame.t_ms);
  const line: Encoded = { schema: SCHEMA, t };
  if (frame.seq !== null) line.seq = frame.seq;
  if (frame.elapsed_ms !== null) line.elapsed_ms = Math.round(frame.elapsed_ms);
  if (frame.source !== null) line.source = frame.source;
  line.timestamp = `${t.slice(0, -5)}Z`;
  line.hostname = frame.hostname;
  for (const { name, encode } of sectionEncoders) {
    const devices = frame[name];
    if (devices !== undefined) line[name] = (devices as unknown as Encoded[]).map(encode);
  }
  if (frame.scrapes !== undefined) line.scrapes = frame.scrapes.map((one) => encodeScrape(one as unknown as Encoded));
  if (frame.events !== undefined) line.events = frame.events.map((one) => encodeEvent(one as unknown as Encoded));
  line.errors = frame.errors;
  return JSON.stringify(line);
}
