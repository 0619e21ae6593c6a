"""What a task returned, and where it is kept: `Result` and its kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.results import (
    INLINE_BYTES_MAX,
    AzureResult,
    CheckpointResult,
    ChildRunResult,
    ConstantResult,
    GCSResult,
    InlineResult,
    LocalResult,
    NoResult,
    NoResultType,
    PrefectResult,
    RemoteResult,
    Result,
    ResultNotImplementedError,
    S3Result,
    SecretResult,
    default_location,
    inline_problem,
)

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.engine.results import azure_result as azure_result
    from headwater.engine.results import checkpoint_result as checkpoint_result
    from headwater.engine.results import constant_result as constant_result
    from headwater.engine.results import gcs_result as gcs_result
    from headwater.engine.results import local_result as local_result
    from headwater.engine.results import prefect_result as prefect_result
    from headwater.engine.results import remote_result as remote_result
    from headwater.engine.results import result as result
    from headwater.engine.results import s3_result as s3_result
    from headwater.engine.results import secret_result as secret_result

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
