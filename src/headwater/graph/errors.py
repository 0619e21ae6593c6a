"""The public path of what is in `headwater.sdk.language.errors`."""

from __future__ import annotations

from headwater.sdk.language.errors import (
    InsideFlowBlock,
    InvalidFlow,
    InvalidFlowName,
    InvalidTask,
    NoActiveFlow,
    NotATask,
    UnknownArgument,
    UnknownSetting,
    WrongArguments,
    WrongParameters,
    WrongTaskType,
)

__all__ = [
    "InsideFlowBlock",
    "InvalidFlow",
    "InvalidFlowName",
    "InvalidTask",
    "NoActiveFlow",
    "NotATask",
    "UnknownArgument",
    "UnknownSetting",
    "WrongArguments",
    "WrongParameters",
    "WrongTaskType",
]
