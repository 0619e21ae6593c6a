"""Storage: where a flow's code lies, always on the user's side."""

from __future__ import annotations

from headwater.storage.azure import Azure
from headwater.storage.base import Storage
from headwater.storage.bitbucket import Bitbucket
from headwater.storage.codecommit import CodeCommit
from headwater.storage.docker import Docker
from headwater.storage.gcs import GCS
from headwater.storage.git import Git
from headwater.storage.github import GitHub
from headwater.storage.gitlab import GitLab
from headwater.storage.local import Local
from headwater.storage.module import Module
from headwater.storage.s3 import S3
from headwater.storage.webhook import Webhook

__all__ = ["GCS", "S3", "Azure", "Bitbucket", "CodeCommit", "Docker", "Git", "GitHub", "GitLab", "Local", "Module", "Storage", "Webhook"]
