"""Storage: where a flow's code lies, always on the user's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.storage import GCS, S3, Azure, Bitbucket, CodeCommit, Docker, Git, GitHub, GitLab, Local, Module, Storage, Webhook

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.storage import azure as azure
    from headwater.storage import base as base
    from headwater.storage import bitbucket as bitbucket
    from headwater.storage import codecommit as codecommit
    from headwater.storage import docker as docker
    from headwater.storage import errors as errors
    from headwater.storage import extraction as extraction
    from headwater.storage import frozen_code as frozen_code
    from headwater.storage import gcs as gcs
    from headwater.storage import git as git
    from headwater.storage import github as github
    from headwater.storage import gitlab as gitlab
    from headwater.storage import loading as loading
    from headwater.storage import local as local
    from headwater.storage import module as module
    from headwater.storage import pickled as pickled
    from headwater.storage import remote as remote
    from headwater.storage import s3 as s3
    from headwater.storage import scripts as scripts
    from headwater.storage import stored_code as stored_code
    from headwater.storage import webhook as webhook

__all__ = ["GCS", "S3", "Azure", "Bitbucket", "CodeCommit", "Docker", "Git", "GitHub", "GitLab", "Local", "Module", "Storage", "Webhook"]
