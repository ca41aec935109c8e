import { plausible } from "../../../plausible.ts";
import type { Device } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import { kept, type NvLinks, type Row } from "./row.ts";
import { remoteTypeName } from "./words.ts";

type RemoteDevices = Row["nvlink_remote_devices"];

/** What is asked for of each link, in this order. */
const PER_LINK = [
  FIELD.nvlink_state,
  FIELD.nvlink_crc_errors,
  FIELD.nvlink_replay_errors,
  FIELD.nvlink_recovery_errors,
  FIELD.nvlink5_recovery_events,
] as const;

/** nvmlNvLinkErrorCounter_t. */
const REPLAY = 0;
const RECOVERY = 1;
const CRC_OF_FLITS = 2;
const ERROR_COUNTERS = 5;

/** More than any card has (NVML_NVLINK_MAX_LINKS). */
const MOST_LINKS = 36;

/** The NVLinks of one card. */
export class NvLinkReader {
  readonly #device: Device;
  readonly #count: number;
  readonly #fields: FieldList;
  readonly #speeds: FieldList;
  #links: NvLinks = [];
  #remoteDevices: RemoteDevices = [];

  constructor(device: Device) {
    this.#device = device;
    this.#count = countLinks(device);
    const scopes = Array.from({ length: this.#count }, (_, scope) => scope);
    this.#fields = new FieldList(
      device,
      scopes.flatMap((scope) => PER_LINK.map((id) => ({ id, scope }))),
    );
    this.#speeds = new FieldList(
      device,
      scopes.map((scope) => ({ id: FIELD.nvlink_speed, scope })),
    );
  }

  /** `null`: it has none. */
  read(): NvLinks | null {
    if (this.#count === 0) return null;
    this.#fields.read();
    const links = Array.from({ length: this.#count }, (_, link) => kept(this.#links[link], this.#link(link)));
    this.#links = kept(this.#links, links);
    return this.#links;
  }

  /** What is at the other ends; nothing of a link that leads nowhere. */
  readRemoteDevices(): RemoteDevices {
    this.#speeds.read();
    const devices: RemoteDevices = [];
    for (let link = 0; link < this.#count; link++) {
      const type = this.#device.unsignedOf("nvmlDeviceGetNvLinkRemoteDeviceType", link);
      if (type === null) continue;
      const one = {
        link_index: link,
        remote_type: remoteTypeName(type),
        bandwidth_mb_s: this.#speeds.value(link) || null,
      };
      devices.push(kept(this.#remoteDevices[devices.length], one));
    }
    if (devices.length !== this.#remoteDevices.length) this.#remoteDevices = devices;
    else this.#remoteDevices = kept(this.#remoteDevices, devices);
    return this.#remoteDevices;
  }

  #value(link: number, field: number): number | null {
    return this.#fields.value(link * PER_LINK.length + field);
  }

  #errors(link: number, field: number): number | null {
    return plausible("count", this.#value(link, field));
  }

  #link(link: number): NvLinks[number] {
    const state = this.#value(link, 0) ?? this.#device.unsignedOf("nvmlDeviceGetNvLinkState", link);
    return {
      link_index: link,
      state: state === null ? null : state === 0 ? "inactive" : "active",
      crc_errors: this.#errors(link, 1) ?? this.#countErrors(link, CRC_OF_FLITS),
      replay_errors: this.#errors(link, 2) ?? this.#countErrors(link, REPLAY),
      recovery_errors: this.#errors(link, 3) ?? this.#errors(link, 4) ?? this.#countErrors(link, RECOVERY),
    };
  }

  /** By the function of before there were fields for it. */
  #countErrors(link: number, counter: number): number | null {
    const { out } = this.#device;
    const part = link * ERROR_COUNTERS + counter;
    return this.#device.reads("nvmlDeviceGetNvLinkErrorCounter", part, link, counter, out.address)
      ? plausible("count", out.known64(0))
      : null;
  }
}

function countLinks(device: Device): number {
  const list = new FieldList(device, [{ id: FIELD.nvlink_count, scope: 0 }]);
  list.read();
  const count = list.value(0);
  if (count !== null) return Math.min(count, MOST_LINKS);
  let links = 0;
  while (links < MOST_LINKS && device.unsignedOf("nvmlDeviceGetNvLinkState", links) !== null) links++;
  return links;
}
