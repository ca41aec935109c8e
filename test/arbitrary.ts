import fc from "fast-check";
import { cleanReading } from "../src/frame/clean_reading.ts";
import { cleanText } from "../src/frame/clean_text.ts";
import type { Field, Fields, IntegerType, Shape } from "../src/frame/field.ts";
import type { Frame } from "../src/frame/frame.ts";
import {
  chassisFields,
  cpuFields,
  eventFields,
  gpuFields,
  memoryFields,
  processFields,
  scrapeFields,
  storageFields,
} from "../src/frame/schema.ts";

/**
 * Random frames and devices, made from the schema table. Every one is a value that the encoder can write without loss:
 * no number outside of its type, none that equals the sentinel of its key, no `-0`, no lone surrogate.
 */

const INTEGERS: Record<IntegerType, { readonly min: number; readonly max: number }> = {
  u8: { min: 0, max: 255 },
  u32: { min: 0, max: 4294967295 },
  u64: { min: 0, max: Number.MAX_SAFE_INTEGER },
  i32: { min: -2147483648, max: 2147483647 },
};

/** One in so many values is unknown. */
const UNKNOWN_FREQUENCY = 4;
const LONGEST_LIST = 3;
/** The last moment of the year 9999, where RFC 3339 ends. */
const LAST_T_MS = 253402300799999;

/** Characters that JSON, CSV, the Prometheus text or a terminal give a meaning to. */
const hostileCharacter = fc.constantFrom(..."{}\"\\',;\n\r\t\0\x1b\x7f\x9b\u2028=#<&% ");

export const textArbitrary = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), hostileCharacter), maxLength: 12 }),
);

export const cleanTextArbitrary = textArbitrary.map((text) => cleanText(text));

const positiveZero = (value: number): number => (value === 0 ? 0 : value);
const finite = { noNaN: true, noDefaultInfinity: true };

/** Mostly what a device might say, now and then any double. */
const doubleArbitrary = fc
  .oneof(
    { weight: 3, arbitrary: fc.double({ ...finite, min: 0, max: 1 }) },
    { weight: 3, arbitrary: fc.double({ ...finite, min: 0, max: 100 }) },
    { weight: 1, arbitrary: fc.double(finite) },
  )
  .map(positiveZero);

const labelsArbitrary = fc.dictionary(textArbitrary, textArbitrary, { maxKeys: LONGEST_LIST, noNullPrototype: true });
const platformArbitrary = fc.oneof(fc.constantFrom("Intel", "Amd", "AppleSilicon", "Arm"), textArbitrary);

function knownArbitrary(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "text":
      return textArbitrary;
    case "integer":
      return fc.integer(INTEGERS[field.integer ?? "u64"]).filter((value) => value !== field.unknown);
    case "float":
      return doubleArbitrary.filter((value) => value !== field.unknown);
    case "boolean":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...(field.choices ?? []));
    case "labels":
      return labelsArbitrary;
    case "texts":
      return fc.array(textArbitrary, { maxLength: LONGEST_LIST });
    case "floats":
      return fc.array(fc.option(doubleArbitrary), { maxLength: LONGEST_LIST });
    case "platform":
      return platformArbitrary;
    case "object":
      return shapeArbitrary(field.fields ?? {});
    case "list":
      return fc.array(shapeArbitrary(field.fields ?? {}), { maxLength: LONGEST_LIST });
  }
}

const fieldArbitrary = (field: Field): fc.Arbitrary<unknown> =>
  field.unknown === "never" ? knownArbitrary(field) : fc.option(knownArbitrary(field), { freq: UNKNOWN_FREQUENCY });

/** A device with the keys of a table: each value known or `null`, each extension also absent. */
function shapeArbitrary<F extends Fields>(fields: F): fc.Arbitrary<Shape<F>> {
  const entries = Object.entries(fields);
  const model = Object.fromEntries(entries.map(([key, field]) => [key, fieldArbitrary(field)]));
  const requiredKeys = entries.filter(([, field]) => field.presence === "required").map(([key]) => key);
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<unknown> as fc.Arbitrary<Shape<F>>;
}

const gpuArbitrary = shapeArbitrary(gpuFields);
const cpuArbitrary = shapeArbitrary(cpuFields);
const memoryArbitrary = shapeArbitrary(memoryFields);
const chassisArbitrary = shapeArbitrary(chassisFields);
const processArbitrary = shapeArbitrary(processFields);
const storageArbitrary = shapeArbitrary(storageFields);
const scrapeArbitrary = shapeArbitrary(scrapeFields);
export const eventArbitrary = shapeArbitrary(eventFields);

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: LONGEST_LIST });

/** Beyond it there is no room to count on. */
const position = fc.integer({ min: 0, max: 2 ** 52 - 1 });

/** A whole frame; any of its sections may be absent or empty. */
export const frameArbitrary: fc.Arbitrary<Frame> = fc.record(
  {
    t_ms: fc.integer({ min: 0, max: LAST_T_MS }),
    seq: fc.option(position),
    elapsed_ms: fc.option(position),
    source: fc.constantFrom("local", "remote", null),
    hostname: textArbitrary,
    errors: some(textArbitrary),
    gpus: some(gpuArbitrary),
    cpus: some(cpuArbitrary),
    memory: some(memoryArbitrary),
    chassis: some(chassisArbitrary),
    processes: some(processArbitrary),
    storage: some(storageArbitrary),
    scrapes: some(scrapeArbitrary),
    events: some(eventArbitrary),
  },
  { requiredKeys: ["t_ms", "seq", "elapsed_ms", "source", "hostname", "errors"], noNullPrototype: true },
);

/** A frame as it comes from its sources, and as it is read back: with texts that were cleaned. */
export const cleanFrameArbitrary: fc.Arbitrary<Frame> = frameArbitrary.map((frame) => {
  cleanReading(frame);
  return { ...frame, hostname: cleanText(frame.hostname) };
});
