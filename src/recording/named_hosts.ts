import { MAX_HEADER_HOSTS } from "./limits.ts";

/** All hosts that a recording's headers name, in the order of the timeline; a machine that was renamed has several names. */
export class NamedHosts {
  readonly #names = new Set<string>();

  add(names: readonly string[] | null | undefined): void {
    for (const name of names ?? []) if (this.#names.size < MAX_HEADER_HOSTS) this.#names.add(name);
  }

  get all(): readonly string[] {
    return [...this.#names];
  }
}
