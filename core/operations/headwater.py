"""One log as one actor works with it: the object on which the command line, the pages, GraphQL, `Client` and services stand."""

from __future__ import annotations

from headwater.core.aggregates import Actor
from headwater.core.log.protocol import Log
from headwater.core.operations.agents import Agents
from headwater.core.operations.artifacts import Artifacts
from headwater.core.operations.flow_catalogue import FlowCatalogue
from headwater.core.operations.flows import Flows
from headwater.core.operations.key_values import KeyValues
from headwater.core.operations.projects import Projects
from headwater.core.operations.queues import Queues
from headwater.core.operations.run_creation import RunCreation
from headwater.core.operations.runs import Runs
from headwater.core.operations.slots import FlowSlots


class Headwater:
    """Every command that people and programs have, as `actor`, who appears in the audit trail.

    It keeps what it learns of flows, projects and queues, so that the next run costs less to create: keep it, too.
    """

    def __init__(self, log: Log, actor: Actor, *, catalogue: FlowCatalogue | None = None) -> None:
        self.log = log
        self.actor = actor
        self.catalogue = catalogue or FlowCatalogue(log.events)
        self.projects = Projects(log.events, actor)
        self.flows = Flows(log.events, actor)
        self.runs = Runs(log, actor, RunCreation(log, self.catalogue))
        self.agents = Agents(log.events, actor)
        self.queues = Queues(log.events, actor)
        self.slots = FlowSlots(log.events, actor)
        self.key_values = KeyValues(log.events, actor)
        self.artifacts = Artifacts(log.events, actor)

    def acting_as(self, actor: Actor) -> Headwater:
        """Return the same log as another actor works with it. What is learned is shared."""
        return Headwater(self.log, actor, catalogue=self.catalogue)
