"""Values in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.sdk.results.remote_result import RemoteResult


class S3Result(RemoteResult):
    """Keeps values in a bucket of S3, or of what speaks its language.

    Keys and region come from where AWS's own tools find them. `boto3_kwargs` are those of a boto3 client (`endpoint_url`,
    `region_name`, `aws_access_key_id`, ...), `upload_options` those of its `put_object` (`ServerSideEncryption`, `ContentType`, ...);
    other arguments are those of `s3fs.S3FileSystem`. Needs `headwater[s3]`.
    """

    protocol = "s3"
    extra = "s3"

    def __init__(
        self,
        bucket: str | None = None,
        boto3_kwargs: Mapping[str, Any] | None = None,
        upload_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if boto3_kwargs:
            options = {**options, "client_kwargs": {**boto3_kwargs, **options.get("client_kwargs", {})}}
        super().__init__(bucket, **options)
        if upload_options:
            self.upload_options = dict(upload_options)
