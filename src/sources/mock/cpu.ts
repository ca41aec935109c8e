import type { Cpu } from "../../frame/schema.ts";
import type { HostState } from "./host_state.ts";
import { clamp, noise, round, salt } from "./random.ts";

const CORE = salt("core");
const SOCKET = salt("socket");
const HEAT = salt("cpu temperature");
const LOAD = salt("load average");

const MAX_FREQUENCY_MHZ = 3800;
const BASE_FREQUENCY_MHZ = 2000;

const socketsOf = (threads: number): number => (threads % 4 === 0 ? 2 : 1);
const coresOf = (threads: number): number => (threads % 2 === 0 ? threads / 2 : threads);

const cpuTemperature = (host: HostState, socket: number): number =>
  Math.round(36 + 0.42 * host.cpuUtilization + 3 * noise(host.seed, HEAT, host.host * 2 + socket, host.t_s, 30));

/** Watts of all sockets. */
export const cpuPower = (host: HostState): number =>
  round(socketsOf(host.threads) * (96 + 2.4 * host.cpuUtilization), 2);

function socketRows(host: HostState): Cpu["per_socket_info"] {
  const sockets = socketsOf(host.threads);
  const lean = sockets === 1 ? 0 : 0.3 * (noise(host.seed, SOCKET, host.host, host.t_s, 15) - 0.5);
  return Array.from({ length: sockets }, (_, socket_id) => ({
    socket_id,
    utilization: round(clamp(host.cpuUtilization * (socket_id === 0 ? 1 + lean : 1 - lean), 0, 100), 2),
    cores: coresOf(host.threads) / sockets,
    threads: host.threads / sockets,
    temperature: cpuTemperature(host, socket_id),
    frequency_mhz: BASE_FREQUENCY_MHZ,
  }));
}

function coreRows(host: HostState): Cpu["per_core_utilization"] {
  return Array.from({ length: host.threads }, (_, core_id) => ({
    core_id,
    core_type: "Standard",
    utilization: round(
      clamp(
        host.cpuUtilization * (0.2 + 1.6 * noise(host.seed, CORE, host.host * 4096 + core_id, host.t_s, 5)),
        0,
        100,
      ),
      1,
    ),
  }));
}

function loadAverage(host: HostState): number[] {
  const running = (host.cpuUtilization / 100) * host.threads;
  const settled = (seconds: number) =>
    round(running * (0.8 + 0.4 * noise(host.seed, LOAD, host.host, host.t_s, seconds)), 2);
  return [settled(60), settled(300), settled(900)];
}

/** Two sockets of a server of the H100's time, or one where the threads do not divide. */
export function cpuRow(host: HostState, perCore: boolean, withHealth: boolean): Cpu {
  return {
    index: 0,
    ...host.identity,
    cpu_model: "Intel(R) Xeon(R) Platinum 8480C",
    architecture: "x86_64",
    platform_type: "Intel",
    socket_count: socketsOf(host.threads),
    total_cores: coresOf(host.threads),
    total_threads: host.threads,
    base_frequency_mhz: BASE_FREQUENCY_MHZ,
    max_frequency_mhz: MAX_FREQUENCY_MHZ,
    cache_size_mb: 105,
    utilization: round(host.cpuUtilization, 2),
    temperature: cpuTemperature(host, 0),
    power_consumption: cpuPower(host),
    per_socket_info: socketRows(host),
    apple_silicon_info: null,
    per_core_utilization: perCore ? coreRows(host) : [],
    time: host.time,
    ...(withHealth && { load_average: loadAverage(host), uptime_seconds: Math.floor(host.t_s - host.boot_s) }),
  };
}
