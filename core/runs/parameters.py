"""Which parameters a run gets: the version's defaults, then the flow's, then what was given. Falsy defaults count like all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from headwater.core.errors import InvalidParameters
from headwater.core.events import ParameterSpec
from headwater.core.values.json_values import json_problem

PARAMETERS_BYTES_MAX = 256 * 1024


def with_defaults(declared: Iterable[ParameterSpec], defaults: Mapping[str, Any]) -> tuple[ParameterSpec, ...]:
    """Return the parameters of a version as its runs have them, under the flow's own defaults. Names that it does not declare are none."""
    return tuple(ParameterSpec(spec.name, default=defaults[spec.name]) if spec.name in defaults else spec for spec in declared)


def run_parameters(declared: Iterable[ParameterSpec], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run.

    Raises:
        InvalidParameters: one is missing, unknown or not JSON, or together they exceed 256 KB.

    """
    specs = {spec.name: spec for spec in declared}
    for name in given:
        if name not in specs:
            raise InvalidParameters(f"The flow has no parameter {name!r}.", hint=_known(name, specs))
    missing = [spec.name for spec in specs.values() if spec.required and spec.name not in given]
    if missing:
        raise InvalidParameters(
            f"Required parameters were not supplied: {', '.join(map(repr, missing))}.",
            hint=f"Give each with `--param {missing[0]}=VALUE`, or in `parameters=`.",
        )
    parameters = {spec.name: given.get(spec.name, spec.default) for spec in specs.values()}
    check_values(parameters)
    return parameters


def check_values(parameters: Mapping[str, Any]) -> None:
    """Refuse what cannot be stored.

    Raises:
        InvalidParameters: a value is not JSON, or together they exceed 256 KB.

    """
    for name, value in parameters.items():
        if (problem := json_problem(value)) is not None:
            raise InvalidParameters(f"The value of parameter {name!r} is not JSON: {problem}.")
    size = len(msgspec.json.encode(parameters))
    if size > PARAMETERS_BYTES_MAX:
        raise InvalidParameters(
            f"The parameters hold {size} bytes; at most {PARAMETERS_BYTES_MAX} are allowed.",
            hint="Pass a reference to the data, such as a path, instead of the data.",
        )


def _known(name: str, specs: Mapping[str, ParameterSpec]) -> str:
    if not specs:
        return "It takes none."
    near = get_close_matches(name, specs, n=1)
    listed = ", ".join(sorted(specs))
    return f"Did you mean {near[0]!r}? It takes: {listed}." if near else f"It takes: {listed}."
