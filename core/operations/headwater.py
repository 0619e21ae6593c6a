"""One log as one actor works with it: the object on which the command line, the pages, GraphQL, `Client` and services stand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from headwater.core.aggregates import Actor
from headwater.core.log.protocol import Log
from headwater.core.operations.flow_catalogue import FlowCatalogue

if TYPE_CHECKING:
    from headwater.core.operations.agents import Agents
    from headwater.core.operations.artifacts import Artifacts
    from headwater.core.operations.backfills import Backfills
    from headwater.core.operations.flows import Flows
    from headwater.core.operations.key_values import KeyValues
    from headwater.core.operations.projects import Projects
    from headwater.core.operations.queues import Queues
    from headwater.core.operations.runs import Runs
    from headwater.core.operations.schedules import Schedules
    from headwater.core.operations.slots import FlowSlots


class Headwater:
    """Every command that people and programs have, as `actor`, who appears in the audit trail.

    It keeps what it learns of flows, projects and queues, so that the next run costs less to create: keep it, too. A room is imported
    when it is first used: the process of a run needs few of them, and starts the sooner.
    """

    def __init__(self, log: Log, actor: Actor, *, catalogue: FlowCatalogue | None = None) -> None:
        self.log = log
        self.actor = actor
        self.catalogue = catalogue or FlowCatalogue(log.events)

    def acting_as(self, actor: Actor) -> Headwater:
        """Return the same log as another actor works with it. What is learned is shared."""
        return Headwater(self.log, actor, catalogue=self.catalogue)

    @cached_property
    def projects(self) -> Projects:
        from headwater.core.operations.projects import Projects

        return Projects(self.log.events, self.actor)

    @cached_property
    def flows(self) -> Flows:
        from headwater.core.operations.flows import Flows

        return Flows(self.log.events, self.actor)

    @cached_property
    def runs(self) -> Runs:
        from headwater.core.operations.run_creation import RunCreation
        from headwater.core.operations.runs import Runs

        return Runs(self.log, self.actor, RunCreation(self.log, self.catalogue))

    @cached_property
    def agents(self) -> Agents:
        from headwater.core.operations.agents import Agents

        return Agents(self.log.events, self.actor)

    @cached_property
    def queues(self) -> Queues:
        from headwater.core.operations.queues import Queues

        return Queues(self.log.events, self.actor)

    @cached_property
    def schedules(self) -> Schedules:
        from headwater.core.operations.schedules import Schedules

        return Schedules(self.log.events, self.actor)

    @cached_property
    def backfills(self) -> Backfills:
        from headwater.core.operations.backfills import Backfills

        return Backfills(self.log.events, self.actor)

    @cached_property
    def slots(self) -> FlowSlots:
        from headwater.core.operations.slots import FlowSlots

        return FlowSlots(self.log.events, self.actor)

    @cached_property
    def key_values(self) -> KeyValues:
        from headwater.core.operations.key_values import KeyValues

        return KeyValues(self.log.events, self.actor)

    @cached_property
    def artifacts(self) -> Artifacts:
        from headwater.core.operations.artifacts import Artifacts

        return Artifacts(self.log.events, self.actor)
