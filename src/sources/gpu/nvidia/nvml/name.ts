import type { Device } from "./device.ts";
import { readPciAddress } from "./identity.ts";

const UUID_BYTES = 96;

/**
 * What a card is called: its UUID; as long as that cannot be read, the place where it is: `PCI-0000:06:00.0`, or, where
 * that cannot be read either, as the device was called: `GPU 3`.
 */
export class CardName {
  readonly #device: Device;
  #isKnown = false;
  #pci = "";

  constructor(device: Device) {
    this.#device = device;
  }

  /** Its UUID has been read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** `""`: not known. */
  get pci(): string {
    return this.#pci;
  }

  /** Asks for what is not known yet. Throws CardLost. */
  find(): void {
    if (!this.#isKnown) this.#take(this.#device.text("nvmlDeviceGetUUID", UUID_BYTES));
    if (this.#pci === "") this.#pci = readPciAddress(this.#device);
    if (!this.#isKnown && this.#pci !== "" && this.#isPlace) this.#device.uuid = `PCI-${this.#pci}`;
  }

  /** Of a card of an earlier enumeration in the same place, where its UUID cannot be read now. */
  inherit(uuid: string): void {
    if (!this.#isKnown) this.#device.uuid = uuid;
  }

  #take(uuid: string | null): void {
    if (uuid === null) return;
    this.#device.uuid = uuid;
    this.#isKnown = true;
  }

  get #isPlace(): boolean {
    return !this.#device.uuid.startsWith("GPU-");
  }
}
