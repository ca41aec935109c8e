/**
 * The structures of NVML that are read or filled in, as a C compiler lays them out on 64-bit Linux: bytes from the start
 * of each field, and the size. A test compares them with those of NVIDIA's Python binding.
 */
export const LAYOUTS = {
  nvmlPciInfo_t: { size: 68, domain: 16, bus: 20, device: 24, busId: 36 },
  nvmlUtilization_t: { size: 8, gpu: 0, memory: 4 },
  nvmlMemory_t: { size: 24, total: 0, free: 8, used: 16 },
  nvmlMemory_v2_t: { size: 40, version: 0, total: 8, reserved: 16, free: 24, used: 32 },
  nvmlTemperature_v1_t: { size: 12, version: 0, sensorType: 4, temperature: 8 },
  nvmlFanSpeedInfo_v1_t: { size: 12, version: 0, fan: 4, speed: 8 },
  nvmlFieldValue_t: { size: 40, fieldId: 0, scopeId: 4, valueType: 24, nvmlReturn: 28, value: 32 },
  nvmlProcessInfo_v1_t: { size: 16, pid: 0, usedGpuMemory: 8 },
  nvmlProcessInfo_v2_t: { size: 24, pid: 0, usedGpuMemory: 8, gpuInstanceId: 16, computeInstanceId: 20 },
  nvmlProcessUtilizationSample_t: { size: 32, pid: 0, timeStamp: 8, smUtil: 16 },
  nvmlDeviceAttributes_t: {
    size: 40,
    multiprocessorCount: 0,
    gpuInstanceSliceCount: 24,
    computeInstanceSliceCount: 28,
    memorySizeMB: 32,
  },
  nvmlEventData_t: { size: 32, device: 0, eventType: 8, eventData: 16, gpuInstanceId: 24 },
  nvmlConfComputeSystemState_t: { size: 12, environment: 0, ccFeature: 4, devToolsMode: 8 },
  nvmlGpmSupport_t: { size: 8, version: 0, isSupportedDevice: 4 },
  nvmlGpmMetric_t: { size: 40, metricId: 0, nvmlReturn: 4, value: 8 },
  nvmlGpmMetricsGet_t: { size: 19104, version: 0, numMetrics: 4, sample1: 8, sample2: 16, metrics: 24 },
} as const;

/** The word that such a structure begins with, for the library to know which version of it the caller means. */
export const versionWord = (layout: { readonly size: number }, version: number): number =>
  layout.size | (version << 24);
