"""The schema, with its limits: what is too deep, too long or too much is refused with words, and no internal error is shown."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, MaxTokensLimiter
from strawberry.types import ExecutionContext

from headwater.core.errors import HeadwaterError, VersionConflict
from headwater.web.graphql.descriptions import describe_fields
from headwater.web.graphql.limits import TOKENS_MAX, OperationLimits
from headwater.web.graphql.mutations import Mutation
from headwater.web.graphql.queries import QueryRoot
from headwater.web.graphql.scalars import schema_config
from headwater.web.graphql.subscriptions import Subscription

logger = logging.getLogger(__name__)


class _Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what is an error of Headwater; what was asked wrongly is the asker's to know."""
        del execution_context
        for error in errors:
            if _is_ours(error):
                logger.error("A GraphQL field could not be resolved", exc_info=error.original_error)


def _is_ours(error: GraphQLError) -> bool:
    """Tell whether the error is one of Headwater: what a resolver raised, and not a value that could not be read."""
    original = error.original_error
    if original is None or isinstance(original, HeadwaterError | GraphQLError):
        return False
    return error.path is not None or not isinstance(original, ValueError | OverflowError | RecursionError)


@cache
def schema() -> strawberry.Schema:
    """Return the schema."""
    describe_fields()
    return _Schema(
        query=QueryRoot,
        mutation=Mutation,
        subscription=Subscription,
        config=schema_config(),
        extensions=[
            lambda: AddValidationRules([OperationLimits]),
            lambda: MaxTokensLimiter(max_token_count=TOKENS_MAX),
        ],
    )


def told(error: GraphQLError) -> dict[str, Any]:
    """Return an error as it is answered: with a hint where we know one, and without what is none of the asker's business."""
    answer: dict[str, Any] = dict(error.formatted)
    original = error.original_error
    if isinstance(original, HeadwaterError):
        code = "VERSION_LOCKING_ERROR" if isinstance(original, VersionConflict) else type(original).__name__
        answer["extensions"] = {"code": code, "hint": original.hint}
    elif _is_ours(error):
        answer["message"] = "This is an error of Headwater; the server's log tells more."
        answer["extensions"] = {"code": "InternalError"}
    return answer
