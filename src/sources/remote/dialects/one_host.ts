/**
 * Whether what is told is of one host. Host-level series (CPUs, memory, file systems, …) say which; some exporters name
 * the device in an accelerator's `instance`, so those decide only where there is nothing else.
 */
export class OneHost {
  /** Of host-level series: the first instance, and the first name. */
  #instance: string | null = null;
  #hostname: string | null = null;
  #isContradicted = false;
  /** Of accelerators: by instance the first of them, and by place the first instance. */
  readonly #devices = new Map<string, string>();
  readonly #places = new Map<string, string>();
  #isShared = false;
  #isRepeated = false;

  noteHost(instance: string | undefined, hostname: string | undefined): void {
    if (instance !== undefined) {
      this.#instance ??= instance;
      if (instance !== this.#instance) this.#isContradicted = true;
    }
    if (hostname !== undefined) {
      this.#hostname ??= hostname;
      if (hostname !== this.#hostname) this.#isContradicted = true;
    }
  }

  /** `device` tells it from the others of the page, `place` from the others of its host. */
  noteDevice(instance: string | undefined, device: string, place: string): void {
    if (instance === undefined || this.#devices.size > MOST_INSTANCES) return;
    const first = this.#devices.get(instance);
    if (first === undefined) this.#devices.set(instance, device);
    else if (first !== device) this.#isShared = true;
    const before = this.#places.get(place);
    if (before === undefined && this.#places.size <= MOST_INSTANCES) this.#places.set(place, instance);
    else if (before !== undefined && before !== instance) this.#isRepeated = true;
  }

  get hasSeveral(): boolean {
    if (this.#instance !== null || this.#hostname !== null) return this.#isContradicted;
    return this.#devices.size > 1 && (this.#isShared || this.#isRepeated);
  }

  /** By its own account; `null` where only devices are named. */
  get name(): string | null {
    const [only] = this.#devices.size === 1 ? this.#devices.keys() : [];
    return this.#hostname ?? this.#instance ?? only ?? null;
  }
}

const MOST_INSTANCES = 256;
