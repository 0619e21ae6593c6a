"""The values that a run's parameters get."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from headwater.sdk.language import flow_settings as settings
from headwater.sdk.language.errors import UnknownArgument, WrongParameters

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def run_parameters(flow: Flow, given: Mapping[str, Any] | None = None, by_name: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the value of every parameter of the flow: as given, else its default, falsy ones included.

    Raises:
        WrongParameters: some are unknown, required and missing, or given twice.

    """
    given, by_name = dict(settings.parameters(given, flow=flow.name)), dict(by_name or {})
    known = {parameter.name: parameter for parameter in sorted(flow.parameters(), key=lambda each: each.name)}
    twice = sorted(given.keys() & by_name.keys())
    if twice:
        raise WrongParameters(f"Flow {flow.name!r} was given {_listed(twice)} twice: in `parameters` and by name.")
    values = {**given, **by_name}
    unknown = sorted(values.keys() - known.keys())
    if unknown:
        has = f"it has {_listed(known)}" if known else "it has none"
        kind = UnknownArgument if by_name.keys() & set(unknown) else WrongParameters
        raise kind(f"Flow {flow.name!r} has no parameter {_listed(unknown)}; {has}.")
    missing = [name for name, parameter in known.items() if parameter.required and name not in values]
    if missing:
        raise WrongParameters(
            f"Flow {flow.name!r} requires {_listed(missing)}, and no value was given.",
            hint=f"Give one, as in flow.run({missing[0]}=...), or give the parameter a default.",
        )
    return {name: values.get(name, parameter.default) for name, parameter in known.items()}


def over_context(values: Mapping[str, Any], explicit: Collection[str], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run that is started where there are some: these win over defaults, and not over what was given."""
    return {**inherited, **{name: value for name, value in values.items() if name in explicit or name not in inherited}}


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
