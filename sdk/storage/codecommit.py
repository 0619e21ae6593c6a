"""Flows in repositories of AWS CodeCommit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_REPOSITORY, RemoteStorage, optional, required, settings_of

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class CodeCommit(RemoteStorage):
    """A file in a repository of AWS CodeCommit. Flows cannot be fetched from there yet.

    Args:
        repo: the repository's name.
        path: the file in it.
        commit: a branch, tag or commit; the main branch by default.
        client_options: arguments of boto3's client.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no repository.

    """

    place = "AWS CodeCommit"
    instead = IN_A_REPOSITORY

    def __init__(
        self,
        repo: str,
        path: str | None = None,
        commit: str | None = None,
        client_options: Mapping[str, Any] | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=True, **options)
        self.repo = required("CodeCommit", "repo", repo)
        self.path = optional("CodeCommit", "path", path)
        self.commit = optional("CodeCommit", "commit", commit)
        self.client_options = settings_of("CodeCommit", "client_options", client_options)

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a file lie in it
        return required("CodeCommit", "path", self.path)
