/**
 * Building blocks of the schema: what a key of the frame holds, how "unknown" is written under it, and which
 * Prometheus family it feeds. In our own types an unknown value is always `null`; only the encoder knows sentinels.
 */

/** The whole-number types of the Rust tool's reader, which rejects a line with a value outside of its type. */
export type IntegerType = "u8" | "u32" | "u64" | "i32";

/**
 * How an unknown value is written:
 * `"never"`: the key identifies the device and is always known; `"null"`: as `null`; `-1`, `0`: as that number;
 * `"listed"`: as a placeholder (`0`, `""`) and the key's name is added to the device's `unknown` list.
 */
export type Unknown = "never" | "null" | "listed" | -1 | 0;

/** Units are those of the Rust tool's snapshot. */
export type Unit =
  | "percent"
  | "ratio"
  | "bytes"
  | "bytes_per_second"
  | "celsius"
  | "watts"
  | "milliwatts"
  | "megahertz"
  | "megabytes"
  | "megabytes_per_second"
  | "rpm"
  | "seconds"
  | "cores";

/** The Prometheus family that a value feeds, without the prefix `all_smi_`; a gauge unless said otherwise. */
export interface Metric {
  readonly family: string;
  readonly help: string;
  readonly counter?: true;
}

/** `required`: the Rust tool's reader wants the key. `extension`: ours; absent where it was not asked for. */
export type Presence = "required" | "extension";

export type Kind =
  | "text"
  | "integer"
  | "float"
  | "boolean"
  | "choice"
  | "labels"
  | "texts"
  | "floats"
  | "object"
  | "list"
  | "platform";

export interface Field<out T = unknown, out P extends Presence = Presence> {
  readonly kind: Kind;
  readonly presence: P;
  readonly unknown: Unknown;
  readonly integer?: IntegerType;
  readonly unit?: Unit;
  readonly metric?: Metric;
  readonly choices?: readonly string[];
  readonly fields?: Fields;
  /** What a reader takes where a key that is never unknown is absent (serde's default). */
  readonly absent?: number | string;
  /** Carries the type only; never set. */
  readonly type?: T;
}

export type Fields = { readonly [key: string]: Field };

/** The TypeScript type of a table of fields. */
export type Shape<F extends Fields> = {
  [K in keyof F as F[K] extends Field<unknown, "required"> ? K : never]: F[K] extends Field<infer T> ? T : never;
} & {
  [K in keyof F as F[K] extends Field<unknown, "extension"> ? K : never]?:
    | (F[K] extends Field<infer T> ? T : never)
    | null;
};

const RANGES: Readonly<Record<IntegerType, readonly [lowest: number, highest: number]>> = {
  u8: [0, 255],
  u32: [0, 4294967295],
  u64: [0, Number.MAX_SAFE_INTEGER],
  i32: [-2147483648, 2147483647],
};

/** What a whole number of this field may be; beyond it is unknown. */
export const integerRange = ({ integer = "u64" }: Field): readonly [lowest: number, highest: number] => RANGES[integer];

interface NumberOptions {
  readonly unknown: Exclude<Unknown, "never">;
  readonly unit?: Unit;
  readonly metric?: Metric;
}

/** A text that identifies something; `""` where a reader finds none. */
export const text = (): Field<string, "required"> => ({
  kind: "text",
  presence: "required",
  unknown: "never",
  absent: "",
});

/** A text that may be unknown. */
export const optionalText = (): Field<string | null, "required"> => ({
  kind: "text",
  presence: "required",
  unknown: "null",
});

/** A whole number that identifies something; a device without it is no device, unless `absent` says what to take. */
export const identifier = (integer: IntegerType = "u32", absent?: number): Field<number, "required"> => ({
  kind: "integer",
  presence: "required",
  unknown: "never",
  integer,
  ...(absent === undefined ? {} : { absent }),
});

export const integer = (type: IntegerType, options: NumberOptions): Field<number | null, "required"> => ({
  kind: "integer",
  presence: "required",
  integer: type,
  ...options,
});

export const float = (options: NumberOptions): Field<number | null, "required"> => ({
  kind: "float",
  presence: "required",
  ...options,
});

export const boolean = (): Field<boolean, "required"> => ({ kind: "boolean", presence: "required", unknown: "never" });

/** One of a few words; the last one is what a reader takes for anything else. */
export const choice = <const T extends readonly string[]>(choices: T): Field<T[number], "required"> => ({
  kind: "choice",
  presence: "required",
  unknown: "never",
  choices,
});

/** Free-form names and texts, as the Rust tool's `detail`. */
export const labels = (): Field<Record<string, string>, "required"> => ({
  kind: "labels",
  presence: "required",
  unknown: "never",
});

export const list = <F extends Fields>(fields: F): Field<Shape<F>[], "required"> => ({
  kind: "list",
  presence: "required",
  unknown: "never",
  fields,
});

export const object = <F extends Fields>(fields: F): Field<Shape<F> | null, "required"> => ({
  kind: "object",
  presence: "required",
  unknown: "null",
  fields,
});

export const texts = (): Field<string[], "required"> => ({ kind: "texts", presence: "required", unknown: "never" });

export const floats = (): Field<(number | null)[], "required"> => ({
  kind: "floats",
  presence: "required",
  unknown: "never",
});

/** `"Intel"`, `"Amd"`, …, or any other name, which the Rust tool writes as `{"Other": name}`. */
export const platform = (): Field<string, "required"> => ({
  kind: "platform",
  presence: "required",
  unknown: "never",
  absent: "",
});

/** Makes a key one of ours: absent where it was not asked for, `null` where it could not be read. */
export const extension = <T>(field: Field<T>): Field<T, "extension"> => ({
  ...field,
  presence: "extension",
  unknown: "null",
});
