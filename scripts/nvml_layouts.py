"""Prints what NVIDIA's own Python binding says of NVML's structures and constants, as test/fixtures/nvml/layouts.json.

    python3 -m venv venv && venv/bin/pip install nvidia-ml-py && venv/bin/python scripts/nvml_layouts.py
"""

import ctypes
import importlib.metadata
import json

import pynvml

STRUCTURES = {
    "nvmlPciInfo_t": "nvmlPciInfo_t",
    "nvmlUtilization_t": "c_nvmlUtilization_t",
    "nvmlMemory_t": "c_nvmlMemory_t",
    "nvmlMemory_v2_t": "c_nvmlMemory_v2_t",
    "nvmlTemperature_v1_t": "c_nvmlTemperature_v1_t",
    "nvmlFanSpeedInfo_v1_t": "c_nvmlFanSpeedInfo_t",
    "nvmlFieldValue_t": "c_nvmlFieldValue_t",
    "nvmlProcessInfo_v2_t": "c_nvmlProcessInfo_v2_t",
    "nvmlProcessUtilizationSample_t": "c_nvmlProcessUtilizationSample_t",
    "nvmlDeviceAttributes_t": "c_nvmlDeviceAttributes",
    "nvmlEventData_t": "c_nvmlEventData_t",
    "nvmlConfComputeSystemState_t": "c_nvmlConfComputeSystemState_t",
    "nvmlGpmSupport_t": "c_nvmlGpmSupport_t",
    "nvmlGpmMetric_t": "c_nvmlGpmMetric_t",
    "nvmlGpmMetricsGet_t": "c_nvmlGpmMetricsGet_t",
}

CONSTANTS = [
    "NVML_SUCCESS",
    *(name for name in dir(pynvml) if name.startswith("NVML_ERROR_")),
    "nvmlMemory_v2",
    "nvmlTemperature_v1",
    "nvmlFanSpeedInfo_v1",
    "NVML_GPM_METRICS_GET_VERSION",
    "NVML_GPM_SUPPORT_VERSION",
    "NVML_GPM_METRIC_GRAPHICS_UTIL",
    "NVML_GPM_METRIC_SM_OCCUPANCY",
    "NVML_GPM_METRIC_ANY_TENSOR_UTIL",
    "NVML_GPM_METRIC_DRAM_BW_UTIL",
    "NVML_FI_DEV_ECC_SBE_VOL_TOTAL",
    "NVML_FI_DEV_ECC_DBE_VOL_TOTAL",
    "NVML_FI_DEV_ECC_SBE_AGG_TOTAL",
    "NVML_FI_DEV_ECC_DBE_AGG_TOTAL",
    "NVML_FI_DEV_RETIRED_SBE",
    "NVML_FI_DEV_RETIRED_DBE",
    "NVML_FI_DEV_RETIRED_PENDING",
    "NVML_FI_DEV_MEMORY_TEMP",
    "NVML_FI_DEV_NVLINK_LINK_COUNT",
    "NVML_FI_DEV_PCIE_REPLAY_COUNTER",
    "NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY",
    "NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY",
    "NVML_FI_DEV_NVLINK_ERROR_DL_CRC",
    "NVML_FI_DEV_NVLINK_GET_SPEED",
    "NVML_FI_DEV_NVLINK_GET_STATE",
    "NVML_FI_DEV_PCIE_COUNT_TX_BYTES",
    "NVML_FI_DEV_PCIE_COUNT_RX_BYTES",
    "NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS",
]


def layout(name):
    structure = getattr(pynvml, name)
    fields = {field[0]: getattr(structure, field[0]).offset for field in structure._fields_}
    return {"size": ctypes.sizeof(structure), "fields": fields}


print(
    json.dumps(
        {
            "source": f"nvidia-ml-py {importlib.metadata.version('nvidia-ml-py')}",
            "structures": {name: layout(python_name) for name, python_name in STRUCTURES.items()},
            "constants": {name: getattr(pynvml, name) for name in CONSTANTS if isinstance(getattr(pynvml, name), int)},
        },
        indent=1,
    )
)
