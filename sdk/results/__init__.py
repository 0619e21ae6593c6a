"""What a task returned, and where it is kept: `Result` and its kinds."""

from __future__ import annotations

from headwater.sdk.results.azure_result import AzureResult
from headwater.sdk.results.checkpoint_result import CheckpointResult
from headwater.sdk.results.constant_result import ConstantResult
from headwater.sdk.results.gcs_result import GCSResult
from headwater.sdk.results.local_result import LocalResult, default_location
from headwater.sdk.results.prefect_result import INLINE_BYTES_MAX, ChildRunResult, InlineResult, PrefectResult, inline_problem
from headwater.sdk.results.remote_result import RemoteResult
from headwater.sdk.results.result import NoResult, NoResultType, Result, ResultNotImplementedError
from headwater.sdk.results.s3_result import S3Result
from headwater.sdk.results.secret_result import SecretResult

__all__ = [
    "INLINE_BYTES_MAX",
    "AzureResult",
    "CheckpointResult",
    "ChildRunResult",
    "ConstantResult",
    "GCSResult",
    "InlineResult",
    "LocalResult",
    "NoResult",
    "NoResultType",
    "PrefectResult",
    "RemoteResult",
    "Result",
    "ResultNotImplementedError",
    "S3Result",
    "SecretResult",
    "default_location",
    "inline_problem",
]
