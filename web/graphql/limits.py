"""How deep and how wide an operation may be; checked before it is executed, with fragments followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
)

TOKENS_MAX = 5_000
DEPTH_MAX = 12
FIELDS_MAX = 1_000
"""How many fields an operation may have, fragments counted wherever they are used."""


class QueryTooComplex(Exception):
    """The operation has more fields than allowed."""


class OperationLimits(ValidationRule):
    """Refuses operations that are too deep or too wide, and fragments that contain themselves."""

    def enter_document(self, document: DocumentNode, *_: object) -> None:
        """Check each operation of the document."""
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        for operation in document.definitions:
            if not isinstance(operation, OperationDefinitionNode):
                continue
            try:
                depth = _depth(operation, fragments)
            except QueryTooComplex:
                self.report_error(GraphQLError(f"The operation has more than {FIELDS_MAX} fields.", operation))
            else:
                if depth > DEPTH_MAX:
                    self.report_error(GraphQLError(f"The operation has a depth of {depth}; at most {DEPTH_MAX} is allowed.", operation))


def _depth(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """Return how many fields lie inside each other. What the schema itself is asked for does not count.

    Raises:
        QueryTooComplex: there are more fields than allowed.

    """
    deepest = count = 0
    todo: list[tuple[SelectionSetNode, int, frozenset[str]]] = [(operation.selection_set, 1, frozenset())]
    while todo:
        selections, depth, inside = todo.pop()
        for field, within in _fields(selections, fragments, inside):
            count += 1
            if count > FIELDS_MAX:
                raise QueryTooComplex
            if field.name.value.startswith("__"):
                continue
            deepest = max(deepest, depth)
            if field.selection_set is not None and depth <= DEPTH_MAX:
                todo.append((field.selection_set, depth + 1, within))
    return deepest


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], inside: frozenset[str]
) -> Iterator[tuple[FieldNode, frozenset[str]]]:
    """Yield the fields of a selection, those of fragments in their place, with the fragments that each lies in."""
    todo = [(selections, inside)]
    while todo:
        selected, within = todo.pop()
        for selection in selected.selections:
            match selection:
                case FieldNode():
                    yield selection, within
                case InlineFragmentNode():
                    todo.append((selection.selection_set, within))
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name in fragments and name not in within:
                        todo.append((fragments[name].selection_set, within | {name}))
