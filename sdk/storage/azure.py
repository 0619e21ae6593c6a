"""Flows in containers of Azure Blob Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_BUCKET, RemoteStorage, optional, place_of, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Azure(RemoteStorage):
    """A container of Azure Blob Storage. Flows cannot be kept there yet.

    Args:
        container: the container's name.
        connection_string_secret: the name of the secret with the connection string.
        blob_name: where in it the flow lies; its name and the time by default.
        overwrite: whether what lies there already is replaced.
        stored_as_script: whether the flow's script is kept, and not a pickle.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no name of a container.

    """

    place = "Azure Blob Storage"
    instead = IN_A_BUCKET

    def __init__(
        self,
        container: str,
        connection_string_secret: str | None = None,
        blob_name: str | None = None,
        overwrite: bool = False,
        stored_as_script: bool = False,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=stored_as_script, **options)
        self.container = required("Azure", "container", container)
        self.connection_string_secret = optional("Azure", "connection_string_secret", connection_string_secret)
        self.blob_name = optional("Azure", "blob_name", blob_name)
        self.overwrite = overwrite

    def _location_for(self, flow: Flow) -> str:
        return self.blob_name or place_of(flow)
