"""The public path of what is in `headwater.sdk.language.run_signature`."""

from __future__ import annotations

from headwater.sdk.language.run_signature import (
    RESERVED_ARGUMENTS,
    SignatureOfCall,
    check_arguments,
    check_takes,
    number_of_outputs,
    outputs_by_annotation,
    signature_of_run,
    without_first,
)

__all__ = [
    "RESERVED_ARGUMENTS",
    "SignatureOfCall",
    "check_arguments",
    "check_takes",
    "number_of_outputs",
    "outputs_by_annotation",
    "signature_of_run",
    "without_first",
]
