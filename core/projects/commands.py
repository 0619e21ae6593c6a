"""Commands about a project, and about the names that belong to projects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CreateProject:
    project_id: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class RenameProject:
    name: str


@dataclass(frozen=True)
class DescribeProject:
    description: str


@dataclass(frozen=True)
class DeleteProject:
    pass


ProjectCommand = CreateProject | RenameProject | DescribeProject | DeleteProject


@dataclass(frozen=True)
class ClaimName:
    kind: str
    name: str
    owner_id: str


@dataclass(frozen=True)
class ReleaseName:
    owner_id: str


NameCommand = ClaimName | ReleaseName
