"""What a task returned, and where it is kept: `Result` and its kinds."""

from __future__ import annotations

from headwater.engine.results.azure_result import AzureResult
from headwater.engine.results.checkpoint_result import CheckpointResult
from headwater.engine.results.constant_result import ConstantResult
from headwater.engine.results.gcs_result import GCSResult
from headwater.engine.results.local_result import LocalResult, default_location
from headwater.engine.results.prefect_result import INLINE_BYTES_MAX, ChildRunResult, InlineResult, PrefectResult, inline_problem
from headwater.engine.results.remote_result import RemoteResult
from headwater.engine.results.result import NoResult, NoResultType, Result, ResultNotImplementedError
from headwater.engine.results.s3_result import S3Result
from headwater.engine.results.secret_result import SecretResult

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
