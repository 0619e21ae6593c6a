"""The names of results before Prefect 0.14: each makes the `Result` that took its place, to be given as `result=`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.results import AzureResult, ConstantResult, GCSResult, InlineResult, LocalResult, S3Result, SecretResult

__all__ = [
    "AzureResultHandler",
    "ConstantResultHandler",
    "GCSResultHandler",
    "JSONResultHandler",
    "LocalResultHandler",
    "ResultHandler",
    "S3ResultHandler",
    "SecretResultHandler",
]


class ResultHandler:
    """The base of result handlers of a user's own, which a `Result` of their own replaces.

    Raises:
        InvalidArgument: a class is derived from it.

    """

    def __init_subclass__(cls) -> None:
        raise InvalidArgument(
            f"The result handler {cls.__name__} cannot be used: results took the place of result handlers.",
            hint="Derive it from headwater.engine.results.Result, with read(location), write(value_, **kwargs) and exists(location).",
        )


def LocalResultHandler(dir: str | Path | None = None, validate: bool = True) -> LocalResult:  # noqa: A002, N802 - the names people know
    """Return a `LocalResult`."""
    return LocalResult(dir, validate)


def JSONResultHandler() -> InlineResult:  # noqa: N802 - see LocalResultHandler
    """Return a `PrefectResult`."""
    return InlineResult()


def S3ResultHandler(bucket: str, boto3_kwargs: Mapping[str, Any] | None = None) -> S3Result:  # noqa: N802 - see LocalResultHandler
    """Return an `S3Result`."""
    return S3Result(bucket, boto3_kwargs)


def GCSResultHandler(bucket: str | None = None) -> GCSResult:  # noqa: N802 - see LocalResultHandler
    """Return a `GCSResult`."""
    return GCSResult(bucket)


def AzureResultHandler(  # noqa: N802 - see LocalResultHandler
    container: str, connection_string: str | None = None, azure_credentials_secret: str | None = None
) -> AzureResult:
    """Return an `AzureResult`."""
    return AzureResult(container, connection_string, connection_string_secret=azure_credentials_secret)


def ConstantResultHandler(value: Any) -> ConstantResult:  # noqa: N802 - see LocalResultHandler
    """Return a `ConstantResult`."""
    return ConstantResult(value)


def SecretResultHandler(secret_task: Any) -> SecretResult:  # noqa: N802 - see LocalResultHandler
    """Return a `SecretResult`."""
    return SecretResult(secret_task)
