import type { Gpu } from "../../frame/schema.ts";
import { type Check, note, ok, problem, type Verdict } from "../finding.ts";
import { containerOf, type Machine } from "../machine.ts";
import { type GpuReading, gpuName, gpuWords, isAnswering, isUnderWay, readGpus } from "./gpu_readings.ts";
import { canAskDriver, findLibrary, unreadableNamed } from "./nvidia_access.ts";
import { isAsked, isWithoutDriver, mustAnswer } from "./nvidia_driver.ts";
import { errorVerdict, noCardVerdict } from "./nvidia_errors.ts";

/** Without persistence mode the driver initializes each card when the first program opens it: seconds, each. */
const LIMIT_MS = 20_000;
/** Left for what comes after the last reading. */
const MARGIN_MS = 2000;

export const nvidiaReadingChecks: readonly Check[] = [
  { group: "nvidia", name: "readings", limit_ms: LIMIT_MS, run: readings },
];

/** There is one of them: a Jetson's GPU is not read by the driver's library. */
const SOURCES: readonly string[] = ["nvidia", "tegra"];

async function readings(machine: Machine): Promise<Verdict[]> {
  if (!isAsked(machine)) return [];
  const reading = await readGpus(machine, SOURCES, LIMIT_MS - MARGIN_MS);
  return reading === null ? [] : readingVerdicts(reading, machine);
}

/** What the cards' values say about what is set up, and what is not. */
export function readingVerdicts({ gpus, errors }: GpuReading, machine: Machine): Verdict[] {
  const answering = gpus.filter(isAnswering);
  const hasAnswering = answering.length > 0;
  const unsaid = errors.filter((error) => !isSaidElsewhere(error, machine));
  const problems = [
    ...unsaid.map((error) => (isUnderWay(error) ? slowVerdict(error) : errorVerdict(error, machine, hasAnswering))),
    ...gpus.flatMap((gpu) => (gpu.lost ? [problem(`${gpuName(gpu)} is lost: ${gpu.lost.reason}`, RESET)] : [])),
  ];
  if (!hasAnswering && problems.length === 0) {
    return errors.length === 0 && (canAskDriver(machine) || !mustAnswer(machine))
      ? [noCardVerdict(machine, askedBy(machine))]
      : [];
  }
  if (!hasAnswering) return problems;
  return [
    ok(`${gpuWords(answering)}${versions(answering)}${by(answering)}`),
    ...problems,
    ...persistence(answering),
    ...mig(answering, machine),
  ];
}

/** That there is no such file the check of the library has said, and that there is no driver that of the driver. */
const isSaidElsewhere = (error: string, machine: Machine): boolean =>
  error.startsWith("ALL_SMI_NVML: ")
    ? unreadableNamed(machine) !== null
    : error.endsWith("driver is not loaded") && isWithoutDriver(machine);

const askedBy = (machine: Machine): string =>
  machine.env.ALL_SMI_NVML || findLibrary(machine) !== null ? "the driver's library" : "nvidia-smi";

const slowVerdict = (error: string): Verdict =>
  problem(
    `no answer within ${(LIMIT_MS - MARGIN_MS) / 1000} s (${error}): the driver hangs, or is slow to start the cards`,
    `dmesg | grep NVRM says more; so that the cards stay started: ${PERSIST}`,
  );

const PERSIST = "systemctl enable --now nvidia-persistenced, or nvidia-smi -pm 1";
const RESET = "nvidia-smi --gpu-reset -i N when nothing uses it; a card that fell off the bus needs a power cycle";

function versions(gpus: readonly Gpu[]): string {
  const { "Driver Version": driver, "CUDA Version": cuda } = gpus[0]?.detail ?? {};
  return `${driver === undefined ? "" : `; driver ${driver}`}${cuda === undefined ? "" : `, CUDA ${cuda}`}`;
}

/** Of those that tell of PCIe nvidia-smi is the one that tells nothing of NVLink. */
const isBySmi = ({ health }: Gpu): boolean => health?.pcie !== undefined && health.nvlink === undefined;

const by = (gpus: readonly Gpu[]): string => (gpus.some(isBySmi) ? "; by nvidia-smi, which tells less" : "");

/** NVML's numbers, or nvidia-smi's words. */
const ON = /^(1|enabled)$/i;
const OFF = /^(0|disabled)$/i;

function persistence(gpus: readonly Gpu[]): Verdict[] {
  const off = gpus.filter(({ detail }) => OFF.test(detail.persistence_mode ?? ""));
  if (off.length === 0) return [];
  return [
    note(
      `persistence mode is off on ${off.length} of ${gpus.length}: each start of a program waits for the driver, which forgets its settings after it`,
      PERSIST,
    ),
  ];
}

/** In MIG mode a card's load and its processes are known by its instances only. */
function mig(gpus: readonly Gpu[], machine: Machine): Verdict[] {
  return gpus
    .filter((gpu) => ON.test(gpu.detail.mig_mode_current ?? "") && (gpu.mig ?? []).length === 0)
    .map((gpu) =>
      note(
        `${gpuName(gpu)} is in MIG mode, and no instance of it can be seen`,
        containerOf(machine) === null
          ? "make instances (nvidia-smi mig -cgi … -C); to see others' needs root"
          : "NVIDIA_MIG_MONITOR_DEVICES=all and CAP_SYS_ADMIN let a container see them",
      ),
    );
}
