"""Flows in repositories of Bitbucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.errors import InvalidStorage
from headwater.sdk.storage.remote import IN_A_REPOSITORY, RemoteStorage, optional, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Bitbucket(RemoteStorage):
    """A file in a repository of Bitbucket, Server or Cloud. Flows cannot be fetched from there yet.

    Args:
        project: the project's name.
        repo: the repository's name.
        workspace: the workspace, with Bitbucket Cloud.
        host: the address of a Bitbucket Server.
        path: the file in the repository.
        ref: a branch, tag or commit; the main branch by default.
        access_token_secret: the name of the secret with the token, with Bitbucket Server.
        cloud_username_secret, cloud_app_password_secret: the names of the secrets with user and password, with Bitbucket Cloud.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no repository, or both a workspace and a token of a server.

    """

    place = "Bitbucket"
    instead = IN_A_REPOSITORY

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        project: str,
        repo: str,
        workspace: str | None = None,
        host: str | None = None,
        path: str | None = None,
        ref: str | None = None,
        access_token_secret: str | None = None,
        cloud_username_secret: str | None = None,
        cloud_app_password_secret: str | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=True, **options)
        if workspace and access_token_secret:
            raise InvalidStorage(
                "Bitbucket: workspace is for Bitbucket Cloud, and access_token_secret for Bitbucket Server; both are set.",
                hint="For Bitbucket Cloud, give cloud_username_secret and cloud_app_password_secret.",
            )
        self.project = required("Bitbucket", "project", project)
        self.repo = required("Bitbucket", "repo", repo)
        self.workspace = optional("Bitbucket", "workspace", workspace)
        self.host = optional("Bitbucket", "host", host)
        self.path = optional("Bitbucket", "path", path)
        self.ref = optional("Bitbucket", "ref", ref)
        self.access_token_secret = optional("Bitbucket", "access_token_secret", access_token_secret)
        self.cloud_username_secret = optional("Bitbucket", "cloud_username_secret", cloud_username_secret)
        self.cloud_app_password_secret = optional("Bitbucket", "cloud_app_password_secret", cloud_app_password_secret)

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a file lie in it
        return required("Bitbucket", "path", self.path)
