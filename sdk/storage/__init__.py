"""Storage: where a flow's code lies, always on the user's side."""

from __future__ import annotations

from headwater.sdk.storage.azure import Azure
from headwater.sdk.storage.base import Storage
from headwater.sdk.storage.bitbucket import Bitbucket
from headwater.sdk.storage.codecommit import CodeCommit
from headwater.sdk.storage.docker import Docker
from headwater.sdk.storage.gcs import GCS
from headwater.sdk.storage.git import Git
from headwater.sdk.storage.github import GitHub
from headwater.sdk.storage.gitlab import GitLab
from headwater.sdk.storage.local import Local
from headwater.sdk.storage.module import Module
from headwater.sdk.storage.s3 import S3
from headwater.sdk.storage.webhook import Webhook

__all__ = ["GCS", "S3", "Azure", "Bitbucket", "CodeCommit", "Docker", "Git", "GitHub", "GitLab", "Local", "Module", "Storage", "Webhook"]
