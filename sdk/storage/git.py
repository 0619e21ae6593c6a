"""Flows in any Git repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.errors import InvalidStorage
from headwater.sdk.storage.remote import IN_A_REPOSITORY, RemoteStorage, optional, required

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Git(RemoteStorage):
    """A file in a Git repository. Flows cannot be fetched from there yet.

    Args:
        flow_path: the file in the repository.
        repo: the repository, `owner/name`.
        repo_host: the host of the repository.
        flow_name: the flow's name, where the file holds several.
        git_token_secret_name: the name of the secret with the token.
        git_token_username: the token's user; the repository's owner by default.
        git_clone_url_secret_name: the name of the secret with the whole address, which replaces all of these.
        branch_name, tag, commit: at most one of them; the main branch by default.
        clone_depth: how many commits are fetched.
        use_ssh: whether the repository is cloned by SSH, without the token.
        format_access_token: whether the token is written as the host wants it.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: there is no repository, or more than one of `branch_name`, `tag` and `commit`.

    """

    place = "a Git repository"
    instead = IN_A_REPOSITORY

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        flow_path: str,
        repo: str | None = None,
        repo_host: str = "github.com",
        flow_name: str | None = None,
        git_token_secret_name: str | None = None,
        git_token_username: str | None = None,
        git_clone_url_secret_name: str | None = None,
        branch_name: str | None = None,
        tag: str | None = None,
        commit: str | None = None,
        clone_depth: int = 1,
        use_ssh: bool = False,
        format_access_token: bool = True,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=True, **options)
        chosen = [name for name, value in (("branch_name", branch_name), ("tag", tag), ("commit", commit)) if value]
        if len(chosen) > 1:
            raise InvalidStorage(
                f"Git: {' and '.join(chosen)} each say which version of the code counts.",
                hint="Please provide only one of branch_name, tag and commit.",
            )
        if repo is None and git_clone_url_secret_name is None:
            raise InvalidStorage(
                "Git: either repo or git_clone_url_secret_name must be provided.", hint="Write Git('flow.py', repo='owner/name')."
            )
        if use_ssh and git_token_secret_name is not None:
            self.logger.warning("Git storage with use_ssh=True clones by SSH: git_token_secret_name is not used.")
        if git_clone_url_secret_name is not None and (repo or git_token_secret_name or git_token_username or use_ssh):
            self.logger.warning(
                "Git storage clones the address in the secret %r: its other arguments are not used.", git_clone_url_secret_name
            )
        self.flow_path = required("Git", "flow_path", flow_path)
        self.repo = optional("Git", "repo", repo)
        self.repo_host = repo_host
        self.flow_name = optional("Git", "flow_name", flow_name)
        self.git_token_secret_name = optional("Git", "git_token_secret_name", git_token_secret_name)
        self.git_token_username = git_token_username or (repo.partition("/")[0] if repo else None)
        self.git_clone_url_secret_name = optional("Git", "git_clone_url_secret_name", git_clone_url_secret_name)
        self.branch_name = optional("Git", "branch_name", branch_name)
        self.tag = optional("Git", "tag", tag)
        self.commit = optional("Git", "commit", commit)
        self.clone_depth = clone_depth
        self.use_ssh = use_ssh
        self.format_access_token = format_access_token

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a file lie in it
        return self.flow_path
