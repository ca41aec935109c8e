import type { Device } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import type { NvLinks, Row } from "./row.ts";
import { remoteTypeName } from "./words.ts";

type RemoteDevices = Row["nvlink_remote_devices"];

export interface NvLinkReading {
  readonly links: NvLinks | null;
  readonly remoteDevices: RemoteDevices;
}

/** What is asked for of each link, in this order. */
const PER_LINK = [
  FIELD.nvlink_state,
  FIELD.nvlink_crc_errors,
  FIELD.nvlink_replay_errors,
  FIELD.nvlink_recovery_errors,
  FIELD.nvlink5_recovery_events,
  FIELD.nvlink_speed,
] as const;

/** More than any card has (NVML_NVLINK_MAX_LINKS). */
const MOST_LINKS = 36;

const NONE: NvLinkReading = { links: null, remoteDevices: [] };

/** The NVLinks of one card. */
export class NvLinkReader {
  readonly #device: Device;
  readonly #count: number;
  readonly #fields: FieldList;
  #remoteDevices: RemoteDevices = [];

  constructor(device: Device) {
    this.#device = device;
    this.#count = countLinks(device);
    const requests = Array.from({ length: this.#count }, (_, scope) => PER_LINK.map((id) => ({ id, scope })));
    this.#fields = new FieldList(device, requests.flat());
  }

  read(): NvLinkReading {
    if (this.#count === 0) return NONE;
    this.#fields.read();
    const links = Array.from({ length: this.#count }, (_, link) => this.#link(link));
    const remoteDevices = links.flatMap((_, link) => this.#remoteDevice(link));
    if (JSON.stringify(remoteDevices) !== JSON.stringify(this.#remoteDevices)) this.#remoteDevices = remoteDevices;
    return { links, remoteDevices: this.#remoteDevices };
  }

  #value(link: number, field: number): number | null {
    return this.#fields.value(link * PER_LINK.length + field);
  }

  #link(link: number): NvLinks[number] {
    const state = this.#value(link, 0) ?? this.#device.unsignedOf("nvmlDeviceGetNvLinkState", link);
    return {
      link_index: link,
      state: state === null ? null : state === 0 ? "inactive" : "active",
      crc_errors: this.#value(link, 1),
      replay_errors: this.#value(link, 2),
      recovery_errors: this.#value(link, 3) ?? this.#value(link, 4),
    };
  }

  /** None of a link that leads nowhere. */
  #remoteDevice(link: number): RemoteDevices {
    const type = this.#device.unsignedOf("nvmlDeviceGetNvLinkRemoteDeviceType", link);
    if (type === null) return [];
    const speed = this.#value(link, 5);
    return [{ link_index: link, remote_type: remoteTypeName(type), bandwidth_mb_s: speed || null }];
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
