"""What the guide to GraphQL shows is what the schema knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from headwater.web.graphql.schema import schema

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "graphql.md").read_text()
SHOWN = re.findall(r"```graphql\n(.*?)```", GUIDE, re.DOTALL)
OPERATIONS = [each for block in SHOWN for each in (block.splitlines() if block.startswith("subscription") else [block])]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_the_guide_is_valid(operation: str) -> None:
    assert validate(build_schema(schema().as_str()), parse(operation)) == []


def test_the_guide_names_every_query_and_mutation() -> None:
    known = build_schema(schema().as_str())
    assert known.query_type is not None
    assert known.mutation_type is not None
    assert known.subscription_type is not None

    for name in {*known.query_type.fields, *known.mutation_type.fields, *known.subscription_type.fields}:
        assert f"`{name}`" in GUIDE or f"{{ {name}(" in GUIDE, name
