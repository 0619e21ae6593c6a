"""What people do with projects: create, rename, describe and delete them. A name belongs to one project, and changes with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import AlreadyExists, NotFound
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.project_lookup import PROJECT_KIND, existing_project, find_project, project, project_name
from headwater.core.projects import rules as project_rules
from headwater.core.projects.commands import (
    ClaimName,
    CreateProject,
    DeleteProject,
    DescribeProject,
    ProjectCommand,
    ReleaseName,
    RenameProject,
)
from headwater.core.projects.owned_name import NAME_RULES
from headwater.core.projects.state import Project
from headwater.core.unit_of_work import UnitOfWork, change_together
from headwater.core.values.identifiers import new_id
from headwater.core.values.names import valid_name


@dataclass(frozen=True)
class ProjectChange:
    """A project after a command. `changed` is false where everything asked for held already."""

    project_id: str
    name: str
    changed: bool
    position: Position


class Projects:
    """The projects of one log, as one actor changes them."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    def aggregate(self, project_id: str) -> Aggregate[Project, ProjectCommand]:
        """Return the project, to be read."""
        return project(self._log, project_id)

    async def existing(self, project_id: str) -> Project:
        """Return the project of this id.

        Raises:
            InvalidArgument: this is not an id.
            NotFound: there is no such project, or it was deleted.

        """
        return await existing_project(self._log, project_id)

    async def find(self, name: str) -> str:
        """Return the id of the project with this name.

        Raises:
            NotFound: there is none.

        """
        return await find_project(self._log, name)

    async def create(self, name: str, *, description: str = "", skip_if_exists: bool = False) -> ProjectChange:
        """Create a project.

        Raises:
            AlreadyExists: the name is taken (unless `skip_if_exists`: then that project is returned, unchanged).
            InvalidName: the name is empty, too long or holds control characters.

        """
        valid_name(name, kind=PROJECT_KIND)
        created_id = new_id()
        owned, created = project_name(self._log, name), project(self._log, created_id)

        async def decide(unit: UnitOfWork) -> ProjectChange:
            await owned.refresh()
            if owned.state.owner_id == created_id:
                return ProjectChange(created_id, name, True, owned.position)
            try:
                claimed = NAME_RULES.decide(owned.state, ClaimName(PROJECT_KIND, name, created_id))
            except AlreadyExists as taken:
                if not skip_if_exists:
                    taken.hint = "Choose another name, or add --skip-if-exists to accept the one that is there."
                    raise
                return ProjectChange(taken.existing_id, name, False, owned.position)
            unit.add(owned, claimed)
            unit.add(created, project_rules.RULES.decide(created.state, CreateProject(created_id, name, description)))
            return ProjectChange(created_id, name, True, owned.position)

        return _at(*await change_together(self._log, self._actor, decide))

    async def rename(self, project_id: str, name: str) -> ProjectChange:
        """Give the project another name; its flows stay with it.

        Raises:
            NotFound, AlreadyExists, InvalidName: nothing was changed.

        """
        valid_name(name, kind=PROJECT_KIND)

        async def decide(unit: UnitOfWork) -> ProjectChange:
            renamed = project(self._log, project_id)
            state = await renamed.refresh()
            facts = project_rules.RULES.decide(state, RenameProject(name))
            if not facts:
                return ProjectChange(project_id, name, False, renamed.position)
            old, new = project_name(self._log, state.name), project_name(self._log, name)
            await old.refresh()
            await new.refresh()
            unit.add(new, NAME_RULES.decide(new.state, ClaimName(PROJECT_KIND, name, project_id)))
            unit.add(old, NAME_RULES.decide(old.state, ReleaseName(project_id)))
            unit.add(renamed, facts)
            return ProjectChange(project_id, name, True, renamed.position)

        return _at(*await change_together(self._log, self._actor, decide))

    async def describe(self, project_id: str, description: str) -> ProjectChange:
        """Give the project another description.

        Raises:
            NotFound: there is no such project.

        """
        outcome = await project(self._log, project_id).execute(DescribeProject(description), self._actor)
        return ProjectChange(project_id, outcome.state.name, outcome.changed, outcome.position)

    async def delete(self, project_id: str) -> ProjectChange:
        """Delete the project and free its name.

        Its flows are archived and its unfinished runs cancelled by the server; its history stays.

        Raises:
            NotFound: there is no such project.

        """

        async def decide(unit: UnitOfWork) -> ProjectChange:
            deleted = project(self._log, project_id)
            state = await deleted.refresh()
            if not state.project_id:
                raise NotFound(PROJECT_KIND, project_id)
            facts = project_rules.RULES.decide(state, DeleteProject())
            if facts:
                owned = project_name(self._log, state.name)
                await owned.refresh()
                unit.add(deleted, facts)
                unit.add(owned, NAME_RULES.decide(owned.state, ReleaseName(project_id)))
            return ProjectChange(project_id, state.name, bool(facts), deleted.position)

        return _at(*await change_together(self._log, self._actor, decide))


def _at(change: ProjectChange, position: Position | None) -> ProjectChange:
    return change if position is None else replace(change, position=position)
