"""The public path of what is in `headwater.sdk.storage.errors`."""

from __future__ import annotations

from headwater.sdk.storage.errors import (
    FlowCodeChanged,
    FlowCodeMissing,
    FlowDiffersFromRegistered,
    FlowNotInCode,
    FlowNotInStorage,
    FlowNotLoadable,
    FlowNotStorable,
    InvalidStorage,
    NotAFlow,
    PythonVersionDiffers,
    StorageError,
    StorageNotSupported,
    UnknownHttpMethod,
    UnknownStorage,
)

__all__ = [
    "FlowCodeChanged",
    "FlowCodeMissing",
    "FlowDiffersFromRegistered",
    "FlowNotInCode",
    "FlowNotInStorage",
    "FlowNotLoadable",
    "FlowNotStorable",
    "InvalidStorage",
    "NotAFlow",
    "PythonVersionDiffers",
    "StorageError",
    "StorageNotSupported",
    "UnknownHttpMethod",
    "UnknownStorage",
]
