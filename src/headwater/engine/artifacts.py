"""The public path of what is in `headwater.sdk.executors.artifacts`."""

from __future__ import annotations

from headwater.sdk.executors.artifacts import TakeArtifact, artifacts_carried_by, record_artifact, record_artifacts_with

__all__ = ["TakeArtifact", "artifacts_carried_by", "record_artifact", "record_artifacts_with"]
