"""The paths under which people import the flow language, and that each thing in it has one home."""

from __future__ import annotations

import importlib
import json
import pickle
import pkgutil
import sys
from collections import defaultdict
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import headwater
from headwater.core.calendar import CronSchedule, filters
from headwater.core.calendar.clocks import CronClock
from headwater.sdk.context.public_paths import public_path

PATHS = {
    "headwater": "Client Flow Parameter DateTimeParameter Task apply_map case config context flatten ifelse mapped merge pause_task "
    "resource_manager switch tags task unmapped",
    "headwater.backend": "FlowView FlowRunView TaskRunView watch_flow_run",
    "headwater.client": "Client Secret",
    "headwater.engine.cache_validators": "all_inputs all_parameters duration_only never_use partial_inputs_only partial_parameters_only",
    "headwater.engine.results": "AzureResult ConstantResult GCSResult InlineResult LocalResult PrefectResult Result S3Result SecretResult",
    "headwater.engine.result_handlers": "AzureResultHandler ConstantResultHandler GCSResultHandler JSONResultHandler LocalResultHandler "
    "ResultHandler S3ResultHandler SecretResultHandler",
    "headwater.engine.results.azure_result": "AzureResult",
    "headwater.engine.results.constant_result": "ConstantResult",
    "headwater.engine.results.gcs_result": "GCSResult",
    "headwater.engine.results.local_result": "LocalResult",
    "headwater.engine.results.prefect_result": "PrefectResult",
    "headwater.engine.results.s3_result": "S3Result",
    "headwater.engine.results.secret_result": "SecretResult",
    "headwater.engine.runner": "ENDRUN",
    "headwater.engine.serializers": "CompressedSerializer DateTimeSerializer JSONSerializer PandasSerializer PickleSerializer Serializer",
    "headwater.engine.signals": "ENDRUN FAIL LOOP PAUSE RETRY SKIP SUCCESS TRIGGERFAIL VALIDATIONFAIL signal_from_state",
    "headwater.engine.state": "Cached Cancelled Cancelling ClientFailed Failed Finished Looped "
    "Mapped Paused Pending Queued Resume Retrying "
    "Running Scheduled Skipped State Submitted Success TimedOut TriggerFailed ValidationFailed",
    "headwater.executors": "DaskExecutor Executor LocalDaskExecutor LocalExecutor ProcessExecutor ThreadExecutor",
    "headwater.executors.base": "Executor",
    "headwater.executors.dask": "DaskExecutor LocalDaskExecutor",
    "headwater.executors.local": "LocalExecutor",
    "headwater.run_configs": "DockerRun ECSRun KubernetesRun LocalRun RunConfig UniversalRun VertexRun",
    "headwater.schedules": "CronSchedule IntervalSchedule RRuleSchedule Schedule adjustments clocks filters",
    "headwater.schedules.adjustments": "add next_weekday",
    "headwater.schedules.clocks": "CronClock DatesClock IntervalClock RRuleClock ClockEvent",
    "headwater.schedules.filters": "at_time between_dates between_datetimes between_times is_day_of_week is_month_end is_month_start "
    "is_weekday is_weekend on_date on_datetime",
    "headwater.schedules.schedules": "CronSchedule IntervalSchedule RRuleSchedule Schedule",
    "headwater.storage": "Azure Bitbucket CodeCommit Docker GCS Git GitHub GitLab Local Module S3 Storage Webhook",
    "headwater.tasks.control_flow": "FilterTask case ifelse merge switch",
    "headwater.tasks.control_flow.case": "case CompareValue",
    "headwater.tasks.control_flow.conditional": "ifelse merge switch Merge",
    "headwater.tasks.control_flow.filter": "FilterTask",
    "headwater.tasks.core.collections": "Dict List Set Tuple",
    "headwater.tasks.core.constants": "Constant",
    "headwater.tasks.core.function": "FunctionTask",
    "headwater.tasks.core.operators": "Add And Div Equal FloorDiv GetAttr GetItem GreaterThan LessThan Mod Mul Not NotEqual Or Pow Sub",
    "headwater.tasks.core.parameter": "DateTimeParameter Parameter",
    "headwater.tasks.core.resource_manager": "resource_manager ResourceManager",
    "headwater.tasks.headwater": "StartFlowRun cancel_flow_run create_flow_run get_task_run_result rename_flow_run wait_for_flow_run",
    "headwater.tasks.secrets": "EnvVarSecret PrefectSecret SecretBase",
    "headwater.triggers": "all_failed all_finished all_successful always_run any_failed any_successful manual_only not_all_skipped "
    "some_failed some_successful",
    "headwater.utilities.collections": "CompoundKey DotDict as_nested_dict dict_to_flatdict flatdict_to_dict flatten_seq merge_dicts",
    "headwater.utilities.configuration": "config set_temporary_config",
    "headwater.utilities.debug": "is_serializable raise_on_exception",
    "headwater.utilities.edges": "flatten mapped unmapped",
    "headwater.utilities.filesystems": "parse_path read_bytes_from_path",
    "headwater.utilities.graphql": "EnumValue GQLObject GraphQLResult LiteralSetValue compress decompress parse_graphql "
    "parse_graphql_arguments with_args",
    "headwater.utilities.importtools": "import_object",
    "headwater.utilities.logging": "get_logger temporary_logger_config",
    "headwater.utilities.notifications": "callback_factory gmail_notifier slack_message_formatter slack_notifier",
    "headwater.utilities.tasks": "apply_map as_task defaults_from_attrs pause_task tags task",
}
PACKAGE = Path(headwater.__file__).parent
KEPT: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parents[2] / "histories" / "public_paths.json").read_text())
"""What could be imported when the code of the SDK was at these paths itself, and what else pickles name there."""


@pytest.mark.parametrize("module", PATHS)
def test_what_people_import_is_there(module: str) -> None:
    imported = importlib.import_module(module)

    assert [name for name in PATHS[module].split() if not hasattr(imported, name)] == []


def test_no_file_has_two_module_names() -> None:
    for module in PATHS:
        importlib.import_module(module)
    names = defaultdict(set)
    for name, loaded in list(sys.modules.items()):
        file = getattr(loaded, "__file__", None)
        if file and name.startswith("headwater") and Path(file).is_relative_to(PACKAGE):
            # A path of Prefect 1 is another name of the same module, not another module.
            names[Path(file).resolve()].add(loaded.__name__)

    assert [found for found in names.values() if len(found) > 1] == []
    assert not any(name.startswith("sdk.") for found in names.values() for name in found)


def test_no_class_has_two_homes() -> None:
    homes = defaultdict(set)
    for path in PATHS:
        for value in vars(importlib.import_module(path)).values():
            if isinstance(value, type) and value.__module__.startswith("headwater."):
                homes[value.__module__, value.__qualname__].add(id(value))
                assert value.__qualname__.partition(".")[0] in vars(importlib.import_module(value.__module__))

    assert [home for home, classes in homes.items() if len(classes) > 1] == []


def test_the_sdk_is_linked_into_the_package_as_a_whole() -> None:
    sdk = Path(headwater.__file__).resolve().parents[2] / "sdk"

    assert (PACKAGE / "sdk").resolve() == sdk
    assert [link for link in PACKAGE.iterdir() if link.is_symlink() and link.resolve().parent == sdk] == []


@pytest.mark.parametrize("path", KEPT["importable"])
def test_a_path_that_was_public_once_gives_what_is_in_its_new_home(path: str, in_homes: set[int]) -> None:
    imported = importlib.import_module(path)

    for name in KEPT["importable"][path]:
        value = getattr(imported, name)
        assert id(value) in in_homes or isinstance(value, ModuleType), name
        assert name in imported.__all__, "what people import is listed, so that editors and type checkers see it"


@pytest.mark.parametrize("path", KEPT["pickled"])
def test_a_path_that_pickles_name_gives_what_is_in_its_new_home(path: str, in_homes: set[int]) -> None:
    imported = importlib.import_module(path)

    assert [name for name in KEPT["pickled"][path] if id(getattr(imported, name)) not in in_homes] == []


def test_the_name_that_is_stored_for_what_is_in_a_module_leads_to_it() -> None:
    lost = [
        (module.__name__, name)
        for module in homes()
        for name, value in vars(module).items()
        if isinstance(value, type | FunctionType) and value.__module__ == module.__name__ and value.__qualname__ == name
        if getattr(importlib.import_module(public_path(module.__name__)), name, None) is not value
    ]

    assert lost == []


def test_a_pickle_that_names_the_room_in_which_schedules_were_gives_the_schedule() -> None:
    schedule = CronSchedule("0 6 * * *")

    pickled = pickle.dumps(schedule, protocol=0).replace(b"headwater.core.calendar", b"headwater.sdk.schedules")

    assert b"headwater.sdk.schedules.clocks" in pickled
    assert type(pickle.loads(pickled).clocks[0]) is CronClock
    assert importlib.import_module("headwater.sdk.schedules.filters") is filters


@pytest.fixture(scope="module")
def in_homes() -> set[int]:
    """All that the modules of `headwater.sdk` and `headwater.core.calendar` hold."""
    return {id(value) for module in homes() for value in vars(module).values()}


def homes() -> list[ModuleType]:
    rooms = [importlib.import_module(name) for name in ("headwater.sdk", "headwater.core.calendar")]
    inside = [found.name for room in rooms for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    return [*rooms, *map(importlib.import_module, inside)]
