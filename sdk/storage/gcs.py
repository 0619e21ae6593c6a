"""Flows in buckets of Google Cloud Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_BUCKET, RemoteStorage, optional, place_of, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class GCS(RemoteStorage):
    """A bucket of Google Cloud Storage. Flows cannot be kept there yet.

    Args:
        bucket: the bucket's name.
        key: where in it the flow lies; its name and the time by default.
        project: the Google Cloud project; that of the credentials by default.
        stored_as_script: whether the flow's script is kept, and not a pickle.
        local_script_path: the script.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no name of a bucket.

    """

    place = "Google Cloud Storage"
    instead = IN_A_BUCKET

    def __init__(
        self,
        bucket: str,
        key: str | None = None,
        project: str | None = None,
        stored_as_script: bool = False,
        local_script_path: str | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=stored_as_script, **options)
        self.bucket = required("GCS", "bucket", bucket)
        self.key = optional("GCS", "key", key)
        self.project = optional("GCS", "project", project)
        self.local_script_path = optional("GCS", "local_script_path", local_script_path)

    def _location_for(self, flow: Flow) -> str:
        return self.key or place_of(flow)
