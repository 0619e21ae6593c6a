"""Projects as the log has them, by id and by name."""

from __future__ import annotations

from headwater.core.aggregates import Aggregate
from headwater.core.errors import NotFound
from headwater.core.hints import CreateProjectAction, ListProjectsAction, hint
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.projects import rules as project_rules
from headwater.core.projects.commands import NameCommand, ProjectCommand
from headwater.core.projects.owned_name import NAME_RULES, OwnedName
from headwater.core.projects.state import Project
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.names import valid_name

PROJECT_KIND = "project"


def project_name(log: EventLog, name: str) -> Aggregate[OwnedName, NameCommand]:
    return Aggregate(log, subjects.name(PROJECT_KIND, name), NAME_RULES)


def project(log: EventLog, project_id: str) -> Aggregate[Project, ProjectCommand]:
    return Aggregate(log, subjects.project(project_id), project_rules.RULES)


def project_not_found(name: str) -> NotFound:
    return NotFound("project", name, hint=hint("Run {} to create it.", CreateProjectAction(name)))


async def existing_project(log: EventLog, project_id: str) -> Project:
    """Return the project of this id.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there is no such project, or it was deleted.

    """
    found = await project(log, str(parsed_uuid(project_id, kind="project id"))).refresh()
    if not found.exists:
        raise NotFound(PROJECT_KIND, found.name or project_id, hint=hint("{} lists projects.", ListProjectsAction()))
    return found


async def find_project(log: EventLog, name: str) -> str:
    """Return the id of the project with this name.

    Raises:
        NotFound: there is none.

    """
    owner = await project_name(log, valid_name(name, kind=PROJECT_KIND)).refresh()
    if not owner.owner_id:
        raise project_not_found(name)
    return owner.owner_id
