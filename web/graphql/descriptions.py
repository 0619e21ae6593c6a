"""The descriptions of GraphQL fields: the sentences of the rows that they show."""

from __future__ import annotations

from typing import Any, cast

from strawberry.types.base import StrawberryObjectDefinition

from headwater.core.queries import rows
from headwater.core.queries.field_sentences import field_sentences
from headwater.web.graphql import agents, artifacts, backfills, key_values, schedules, types

ROW_OF: dict[type, type[rows.Row]] = {
    types.ProjectType: rows.ProjectRow,
    types.FlowType: rows.FlowRow,
    types.FlowGroupType: rows.FlowGroupRow,
    types.TaskType: rows.FlowTaskRow,
    types.EdgeType: rows.FlowEdgeRow,
    types.FlowRun: rows.RunRow,
    types.FlowRunState: rows.RunStateRow,
    types.TaskRunType: rows.TaskRunRow,
    types.TaskRunState: rows.TaskRunStateRow,
    types.LogType: rows.LogRow,
    agents.AgentType: rows.AgentRow,
    artifacts.TaskRunArtifact: rows.ArtifactRow,
    key_values.KeyValueType: rows.KeyValueRow,
    schedules.ScheduleType: rows.ScheduleRow,
    schedules.ScheduleOutcomeType: rows.ScheduleOutcomeRow,
    backfills.BackfillType: rows.BackfillRow,
}
"""Type → the row that it shows."""


def describe_fields() -> None:
    """Give each field that has no description of its own that of the row's field of this name."""
    for kind, row in ROW_OF.items():
        sentences = field_sentences(row)
        definition = cast("StrawberryObjectDefinition", cast("Any", kind).__strawberry_definition__)
        for field in definition.fields:
            if field.description is None and field.python_name in sentences:
                field.description = sentences[field.python_name].replace("None", "null")
