/**
 * The low 32 bits of XXH64 with seed 0: what a zstd frame with a checksum ends in. Bun has it natively; reading never
 * needs it (the decoder checks), only closing a unit that a killed recorder left open.
 */
export const xxhash64Low32 = (bytes: Uint8Array): number => Number(Bun.hash.xxHash64(bytes) & 0xffffffffn);
