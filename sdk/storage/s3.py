"""Flows in buckets of Amazon S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_BUCKET, RemoteStorage, optional, place_of, required, settings_of

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class S3(RemoteStorage):
    """A bucket of Amazon S3. Flows cannot be kept there yet.

    Args:
        bucket: the bucket's name.
        key: where in it the flow lies; its name and the time by default.
        stored_as_script: whether the flow's script is kept, and not a pickle.
        local_script_path: the script.
        client_options: arguments of boto3's client.
        upload_options: arguments of the upload.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no name of a bucket.

    """

    place = "Amazon S3"
    instead = IN_A_BUCKET

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        bucket: str,
        key: str | None = None,
        stored_as_script: bool = False,
        local_script_path: str | None = None,
        client_options: Mapping[str, Any] | None = None,
        upload_options: Mapping[str, Any] | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=stored_as_script, **options)
        self.bucket = required("S3", "bucket", bucket)
        self.key = optional("S3", "key", key)
        self.local_script_path = optional("S3", "local_script_path", local_script_path)
        self.client_options = settings_of("S3", "client_options", client_options)
        self.upload_options = settings_of("S3", "upload_options", upload_options)

    def _location_for(self, flow: Flow) -> str:
        return self.key or place_of(flow)
