/** A value's numbers by its name, without those that are not known. */
export type Values = (name: string) => readonly bigint[];

export function readNumber(table: Buffer, offset: number, bytes: number): bigint {
  return bytes === 8 ? table.readBigUInt64LE(offset) : BigInt(table.readUIntLE(offset, bytes));
}

/** What the driver does not know it leaves as the highest number there is. */
export const isUnknown = (value: bigint, bytes: number): boolean => value === (1n << BigInt(8 * bytes)) - 1n;
