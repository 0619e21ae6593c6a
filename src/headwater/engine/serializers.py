"""The public path of what is in `headwater.sdk.results.serializers`."""

from __future__ import annotations

from headwater.sdk.results.serializers import (
    CompressedSerializer,
    CompressionNotInstalled,
    DateTimeSerializer,
    JSONSerializer,
    PandasSerializer,
    PickleSerializer,
    Serializer,
    serializer_from,
)

__all__ = [
    "CompressedSerializer",
    "CompressionNotInstalled",
    "DateTimeSerializer",
    "JSONSerializer",
    "PandasSerializer",
    "PickleSerializer",
    "Serializer",
    "serializer_from",
]
