"""Flows in repositories of GitLab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_REPOSITORY, RemoteStorage, optional, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class GitLab(RemoteStorage):
    """A file in a repository of GitLab. Flows cannot be fetched from there yet.

    Args:
        repo: the project's path or id.
        host: the address of a GitLab of one's own.
        path: the file in it.
        ref: a branch, tag or commit; the main branch by default.
        access_token_secret: the name of the secret with the token.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no repository.

    """

    place = "GitLab"
    instead = IN_A_REPOSITORY

    def __init__(
        self,
        repo: str,
        host: str | None = None,
        path: str | None = None,
        ref: str | None = None,
        access_token_secret: str | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=True, **options)
        self.repo = required("GitLab", "repo", repo)
        self.host = optional("GitLab", "host", host)
        self.path = optional("GitLab", "path", path)
        self.ref = optional("GitLab", "ref", ref)
        self.access_token_secret = optional("GitLab", "access_token_secret", access_token_secret)

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a file lie in it
        return required("GitLab", "path", self.path)
