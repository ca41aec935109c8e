import { isUnknownNumber, knownId, plausible } from "../../plausible.ts";
import { marketingName } from "../../product_names.ts";
import type { Labels, Take } from "../exposition.ts";
import {
  ACTIVITIES,
  CLOCK_EVENTS,
  DETAIL_LABELS,
  FRAME_BUFFER,
  type FrameBuffer,
  fieldOf,
  GPU_VALUES,
  LIMITS,
  LINK_FAMILY,
  LINK_VALUES,
  REASON_MASKS,
  RETIRED,
} from "./dcgm_families.ts";
import { type Dialect, MIB, naturalOf, type PageContext, type PageReader, type Told, textOf } from "./dialect.ts";
import { GpuValues, RetiredPages, Throttle } from "./gpu_places.ts";
import { type GpuDraft, GpuTable, nameGpu, nvidiaUuid } from "./gpu_table.ts";
import { OneHost } from "./one_host.ts";
import { newXids, type Xid } from "./xid.ts";
import { XidCounts } from "./xid_counts.ts";

/** NVIDIA's dcgm-exporter: fields of DCGM by their own names. Operators choose which; none is sure to be there. */

function totalMib({ total, used, free, reserved }: FrameBuffer): number | undefined {
  if (total !== undefined) return total;
  // Exporters that do not tell the reserved part count it as used.
  return used === undefined || free === undefined ? undefined : used + free + (reserved ?? 0);
}

const bytes = (what: "bytes" | "memory_size", mib: number | undefined): number | null => plausible(what, mib, 1 / MIB);

/** DCGM's "blank" values: the uppermost of INT32 and INT64, of FP64 those from 2^47 on. */
const isBlank = (value: number): boolean => value >= 2 ** 47 || isUnknownNumber(value);

type Mig = NonNullable<GpuDraft["mig"]>[number];

/** A GPU, or one of its MIG instances: then what is told of it beyond memory and activity is the GPU's. */
interface Place {
  readonly gpu: GpuDraft;
  readonly mig: Mig | null;
  /** A pod's share of the card, where the exporter tells both. */
  readonly isShare: boolean;
}

const isShare = (labels: Labels): boolean => (labels.get("pod") ?? labels.get("pod_name") ?? "") !== "";

class DcgmReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #values = new GpuValues();
  readonly #retired = new RetiredPages();
  readonly #throttle = new Throttle();
  readonly #xidCounts = new XidCounts();
  readonly #memory = new Map<GpuDraft | Mig, FrameBuffer>();
  readonly #xids = new Map<string, Xid>();
  readonly #host = new OneHost();

  take(family: string): Take | null {
    const field = fieldOf(family);
    const part = FRAME_BUFFER.get(field);
    if (part !== undefined) return this.#known((place, value) => this.#addMemory(place, part, value));
    const kind = RETIRED.get(field);
    if (kind !== undefined)
      return this.#known(({ gpu, mig }, value) => this.#retired.put(gpu, kind, value, mig !== null));
    if (REASON_MASKS.has(field))
      return this.#known(({ gpu, mig }, mask) => this.#throttle.putMask(gpu, mask, mig !== null));
    const [, counter = "", link] = LINK_FAMILY.exec(field) ?? [];
    const setLink = LINK_VALUES.get(counter);
    if (setLink !== undefined) {
      return this.#known(({ gpu, mig }, value) => void (mig === null && setLink(linkOf(gpu, Number(link)), value)));
    }
    const limit = LIMITS.get(field);
    if (limit !== undefined) {
      return this.#known(({ gpu, mig }, watts) => {
        if (mig === null && plausible("watts", watts) !== null) gpu.detail[limit] = watts.toFixed(2);
      });
    }
    return this.#takeValue(field) ?? this.#takeOther(field);
  }

  #takeValue(field: string): Take | null {
    const activity = ACTIVITIES.get(field);
    const place = activity ?? GPU_VALUES.get(field);
    if (place === undefined) return null;
    const isGraphics = field === "DCGM_FI_PROF_GR_ENGINE_ACTIVE";
    return this.#known(({ gpu, mig, isShare }, value) => {
      if (mig === null || activity === undefined) this.#values.put(gpu, place, value, mig !== null || isShare);
      else if (isGraphics) mig.utilization = plausible("percent", Math.round(value * 1000) / 10);
    });
  }

  #takeOther(field: string): Take | null {
    switch (field) {
      case "DCGM_FI_DEV_XID_ERRORS":
        return this.#known((place, xid, labels) => this.#noteXid(place, xid, textOf(labels.get("err_msg"))));
      case "DCGM_EXP_XID_ERRORS_COUNT":
        return this.#known(({ gpu }, count, labels) => {
          this.#xidCounts.note(gpu.uuid, naturalOf(labels.get("xid")), count);
        });
      case "DCGM_EXP_CLOCK_EVENTS_COUNT":
        return this.#known(({ gpu, mig }, count, labels) => {
          const reason = CLOCK_EVENTS.get(labels.get("clock_event") ?? "") ?? null;
          this.#throttle.put(gpu, reason, count > 0, mig !== null);
        });
      case "DCGM_FI_DEV_MIG_MODE":
        return this.#known(({ gpu }, mode) => {
          gpu.detail.mig_mode_current = String(mode);
        });
      default:
        return null;
    }
  }

  /** An instance that had none says nothing of the card's last one. */
  #noteXid({ gpu, mig }: Place, xid: number, message: string | null): void {
    const known = this.#xids.get(gpu.uuid);
    if (mig === null || known === undefined || (known.xid === 0 && xid !== 0)) {
      this.#xids.set(gpu.uuid, { xid, t_ms: null, message });
    }
  }

  /** The GPU is there whatever the value; only a known value is put. */
  #known(put: (place: Place, value: number, labels: Labels) => void): Take {
    return (labels, value) => {
      const place = this.#place(labels);
      if (place !== null && value !== null && !isBlank(value)) put(place, value, labels);
    };
  }

  #place(labels: Labels): Place | null {
    const name = identityOf(labels);
    // A link's or a switch's own series.
    if (!name || labels.has("nvlink") || labels.has("nvswitch")) return null;
    const gpu = this.#gpus.get(name, (one) => this.#identify(one, name, labels));
    const instance = labels.get("GPU_I_ID") ?? "";
    if (gpu === null) return null;
    const isCard = plausible("partition", naturalOf(instance)) === null;
    return { gpu, mig: isCard ? null : migOf(gpu, instance, labels), isShare: isShare(labels) };
  }

  #identify(gpu: GpuDraft, name: string, labels: Labels): void {
    const index = naturalOf(labels.get("gpu"));
    gpu.uuid = uuidOf(name, labels);
    const model = labels.get("modelName") ?? labels.get("model_name");
    nameGpu(gpu, marketingName(model), model, "NVIDIA GPU");
    if (index !== null) gpu.index = index;
    for (const [label, key] of DETAIL_LABELS) {
      const text = textOf(labels.get(label));
      if (text !== null) gpu.detail[key] = text;
    }
    this.#host.noteHost(undefined, textOf(labels.get("Hostname") ?? labels.get("hostname")) ?? undefined);
  }

  #addMemory({ gpu, mig, isShare: share }: Place, part: keyof FrameBuffer, mib: number): void {
    if (plausible("bytes", mib, 1 / MIB) === null) return;
    const memory = this.#memory.get(mig ?? gpu) ?? {};
    if (!share) memory[part] = mib;
    else memory[part] ??= mib;
    this.#memory.set(mig ?? gpu, memory);
  }

  finish(context: PageContext): Told {
    for (const [device, memory] of this.#memory) {
      device.used_memory = bytes("bytes", memory.used);
      device.total_memory = bytes("memory_size", totalMib(memory));
    }
    this.#retired.finish();
    this.#throttle.finish();
    const gpus = this.#gpus.list(context.time);
    for (const gpu of gpus) gpu.frequency = gpu.health?.clocks?.sm || null;
    const last = newXids(this.#xids, context);
    const events = [...last, ...this.#xidCounts.news(last, context)];
    return { sections: { gpus }, hostname: this.#host.name, hasSeveralHosts: this.#host.hasSeveral, events };
  }
}

const IDENTITIES = ["UUID", "uuid", "gpu_uuid", "pci_bus_id", "serial"];

/** What tells a GPU from the others; a page may be without UUIDs. */
const identityOf = (labels: Labels): string | undefined =>
  IDENTITIES.map((label) => labels.get(label)).find((text) => knownId(text) !== null) ?? labels.get("gpu");

/** A place is written as that of a card of this machine whose UUID cannot be read. */
function uuidOf(name: string, labels: Labels): string {
  if (name === labels.get("pci_bus_id")) return `PCI-${name.replace(/^0{4}(?=[0-9a-f]{4}:)/i, "").toLowerCase()}`;
  return name === labels.get("gpu") ? `GPU ${name}` : nvidiaUuid(name);
}

type Link = NonNullable<NonNullable<GpuDraft["health"]>["nvlink"]>[number];

/** A link of the card, which is added where it is not there yet: two digits number it. */
function linkOf(gpu: GpuDraft, link_index: number): Link {
  const health = gpu.health ?? {};
  gpu.health = health;
  health.nvlink ??= [];
  const known = health.nvlink.find((one) => one.link_index === link_index);
  if (known !== undefined) return known;
  const link: Link = { link_index, state: null, crc_errors: null, replay_errors: null, recovery_errors: null };
  health.nvlink.push(link);
  return link;
}

/** No GPU has more than seven. */
const MOST_INSTANCES = 16;

function migOf(gpu: GpuDraft, instance: string, labels: Labels): Mig | null {
  // The exporter does not tell an instance's own UUID.
  const uuid = `${gpu.uuid}/${instance}`;
  const instances = gpu.mig ?? [];
  gpu.mig = instances;
  const known = instances.find((one) => one.uuid === uuid);
  if (known !== undefined || instances.length === MOST_INSTANCES) return known ?? null;
  const mig: Mig = {
    gpu_instance: naturalOf(instance),
    compute_instance: null,
    uuid,
    profile: labels.get("GPU_I_PROFILE") ?? "",
    used_memory: null,
    total_memory: null,
    utilization: null,
  };
  instances.push(mig);
  return mig;
}

export const dcgm: Dialect = {
  owns: (family) => /^(?:DCGM|dcgm)_/.test(family),
  open: () => new DcgmReader(),
};
