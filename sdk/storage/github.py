"""Flows in repositories of GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.remote import IN_A_REPOSITORY, RemoteStorage, optional, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class GitHub(RemoteStorage):
    """A file in a repository of GitHub. Flows cannot be fetched from there yet.

    Args:
        repo: the repository, `owner/name`.
        path: the file in it.
        ref: a branch, tag or commit; the main branch by default.
        access_token_secret: the name of the secret with the token.
        base_url: the address of a GitHub of one's own.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no repository or file.

    """

    place = "GitHub"
    instead = IN_A_REPOSITORY

    def __init__(
        self,
        repo: str,
        path: str,
        ref: str | None = None,
        access_token_secret: str | None = None,
        base_url: str | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=True, **options)
        self.repo = required("GitHub", "repo", repo)
        self.path = required("GitHub", "path", path)
        self.ref = optional("GitHub", "ref", ref)
        self.access_token_secret = optional("GitHub", "access_token_secret", access_token_secret)
        self.base_url = optional("GitHub", "base_url", base_url)

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a file lie in it
        return self.path
