/** In a device's `detail`, under `memory`: it has none of its own, what it uses is the machine's. */
export const SHARED_MEMORY = "shared with the machine";
