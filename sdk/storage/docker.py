"""Flows in images of Docker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Unpack

from headwater.sdk.context.files import file_name
from headwater.sdk.storage.base import StorageOptions
from headwater.sdk.storage.errors import InvalidStorage
from headwater.sdk.storage.remote import RemoteStorage, list_of, optional, settings_of

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Docker(RemoteStorage):
    """An image of Docker that is built with the flow in it. Images are not built yet.

    Args:
        registry_url: where the image is pushed to.
        base_image: the image it is built on; not with `dockerfile`.
        dockerfile: the path of a Dockerfile it is built by.
        dockerignore: the path of a file that says what a build does not see.
        python_dependencies: packages that are installed in it.
        image_name, image_tag: what it is called.
        env_vars: environment variables in it.
        files: files of this machine, by absolute paths, and where they come to lie in it.
        prefect_version: accepted, and not used: it named the version of Prefect in the image.
        local_image: whether `base_image` is on this machine, and not pulled.
        ignore_healthchecks: whether the image is not checked.
        base_url: the address of the Docker daemon.
        tls_config: how to speak to it by TLS.
        build_kwargs: further arguments of the build.
        prefect_directory: the folder in the image in which flows lie.
        path: where the flow lies in it, if not there.
        stored_as_script: whether the flow's script is kept, and not a pickle.
        extra_dockerfile_commands: lines that the Dockerfile gets.
        options: those of every storage: `result`, `secrets`, `labels`, `add_default_labels`.

    Raises:
        InvalidStorage: both a base image and a Dockerfile are given, or paths of files are not absolute.

    """

    place = "a Docker image"
    instead = (
        "Start an agent in a container of the image, with the flow's packages and files in it, and give "
        "Local(path='.../flow.py', stored_as_script=True) or Module(...)."
    )

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        registry_url: str | None = None,
        base_image: str | None = None,
        dockerfile: str | None = None,
        dockerignore: str | None = None,
        python_dependencies: Iterable[str] | None = None,
        image_name: str | None = None,
        image_tag: str | None = None,
        env_vars: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        prefect_version: str | None = None,
        local_image: bool = False,
        ignore_healthchecks: bool = False,
        base_url: str | None = None,
        tls_config: Any = False,
        build_kwargs: Mapping[str, Any] | None = None,
        prefect_directory: str = "/opt/prefect",
        path: str | None = None,
        stored_as_script: bool = False,
        extra_dockerfile_commands: Iterable[str] | None = None,
        **options: Unpack[StorageOptions],
    ) -> None:
        super().__init__(stored_as_script=stored_as_script, **options)
        if base_image and dockerfile:
            raise InvalidStorage(
                "Docker: only one of base_image and dockerfile can be provided.", hint="A Dockerfile names its base image itself."
            )
        relative = [file for file in settings_of("Docker", "files", files) or () if not PurePath(file).is_absolute()]
        if relative:
            raise InvalidStorage(
                f"Docker: {', '.join(map(repr, relative))} are not absolute file paths.", hint="Write str(Path(...).absolute())."
            )
        self.registry_url = optional("Docker", "registry_url", registry_url)
        self.base_image = optional("Docker", "base_image", base_image)
        self.dockerfile = optional("Docker", "dockerfile", dockerfile)
        self.dockerignore = optional("Docker", "dockerignore", dockerignore)
        self.python_dependencies = list_of("Docker", "python_dependencies", python_dependencies)
        self.image_name = optional("Docker", "image_name", image_name)
        self.image_tag = optional("Docker", "image_tag", image_tag)
        self.env_vars = settings_of("Docker", "env_vars", env_vars) or {}
        self.files = settings_of("Docker", "files", files) or {}
        self.prefect_version = optional("Docker", "prefect_version", prefect_version)
        self.local_image = local_image
        self.ignore_healthchecks = ignore_healthchecks
        self.base_url = optional("Docker", "base_url", base_url)
        self.tls_config = tls_config
        self.build_kwargs = settings_of("Docker", "build_kwargs", build_kwargs) or {}
        self.prefect_directory = prefect_directory
        self.path = optional("Docker", "path", path)
        commands = extra_dockerfile_commands
        self.extra_dockerfile_commands = None if commands is None else list_of("Docker", "extra_dockerfile_commands", commands)

    @property
    def name(self) -> str:
        """The image's whole name, with registry and tag.

        Raises:
            InvalidStorage: no name or no tag was given.

        """
        if not self.image_name or not self.image_tag:
            raise InvalidStorage("This Docker storage has no image_name or no image_tag.", hint="Give it both.")
        return "/".join(filter(None, [self.registry_url, f"{self.image_name}:{self.image_tag}"]))

    def _location_for(self, flow: Flow) -> str:
        return self.path or f"{self.prefect_directory}/flows/{file_name(flow.name)}.prefect"
