"""Values in Google Cloud Storage."""

from __future__ import annotations

from headwater.sdk.results.remote_result import RemoteResult


class GCSResult(RemoteResult):
    """Keeps values in a bucket of Google Cloud Storage; further arguments are those of `gcsfs.GCSFileSystem`. Needs `headwater[gcs]`."""

    protocol = "gs"
    extra = "gcs"
