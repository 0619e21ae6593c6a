"""Results as Prefect's documentation shows them: kinds of a user's own, and what all kinds have."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, Parameter, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.context.configuration import config, set_temporary_config
from headwater.sdk.context.context import context
from headwater.sdk.results import (
    ConstantResult,
    GCSResult,
    InlineResult,
    LocalResult,
    NoResult,
    PrefectResult,
    Result,
    S3Result,
    SecretResult,
    result_handlers,
)
from headwater.sdk.results.serializers import CompressedSerializer, DateTimeSerializer, JSONSerializer, PickleSerializer, serializer_from
from headwater.sdk.states.state import State, Success
from headwater.sdk.task_library.secrets import PrefectSecret


class Folder(Result):
    """As the documentation of Prefect's results shows a kind of a user's own."""

    def __init__(self, folder: str, **kwargs: Any) -> None:
        self.folder = folder
        super().__init__(**kwargs)

    def write(self, value_: Any, **kwargs: Any) -> Result:
        new = self.format(**kwargs)
        new.value = value_
        assert new.location is not None
        self.logger.debug("Writing to %s", new.location)
        path = Path(self.folder, new.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.serializer.serialize(value_))
        return new

    def read(self, location: str) -> Result:
        new = self.copy()
        new.location = location
        new.value = self.serializer.deserialize(Path(self.folder, location).read_bytes())
        return new

    def exists(self, location: str, **kwargs: Any) -> bool:
        return Path(self.folder, location.format(**kwargs)).exists()


@pytest.mark.parametrize("location", [None, "{flow_name}/{task_name}.value", lambda **kwargs: f"{kwargs['task_name']}.made"])
def test_a_kind_of_a_user_keeps_the_values_of_tasks(location: Any, tmp_path: Path) -> None:
    kept = Folder(str(tmp_path), location=location)
    with Flow("etl") as flow:
        made = task(lambda: [1, 2], name="load", result=kept)()
    with set_temporary_config({"flows.checkpointing": True}):
        state = flow.run()

    result = state.result[made]._result
    assert state.is_successful()
    assert result.value == [1, 2]
    assert kept.read(result.location).value == [1, 2]
    assert {None: result.location.endswith(".result")}.get(location, result.location in ("etl/load.value", "load.made"))
    assert cloudpickle.loads(cloudpickle.dumps(kept)).folder == str(tmp_path)


def test_a_kind_of_a_user_serves_targets(tmp_path: Path) -> None:
    with Flow("etl") as flow:
        made = task(lambda: "new", name="load", result=Folder(str(tmp_path)), target="{task_name}.value")()

    first, second = flow.run(), flow.run()

    assert type(first.result[made]) is Success
    assert second.result[made].is_cached()
    assert second.result[made].result == "new"


def test_a_result_is_formatted_from_the_context_and_stays_as_it_was() -> None:
    result = Result(location="{this}/{works}")

    with context(this="indeed", works="well"):
        assert result.format(**context).location == "indeed/well"

    assert result.location == "{this}/{works}"
    assert Result(location=lambda **kwargs: str(kwargs["key"])).format(key=42).location == "42"
    assert Result().format().location != Result().format().location
    assert Result(1, location="here").from_value(2) == Result(2)


def test_validators_are_called_when_the_flow_asks() -> None:
    asked: list[Any] = []

    def is_large(result: Result) -> bool:
        asked.append(result.value)
        return bool(result.value > 10)

    assert Result(12, validators=[is_large], run_validators=False).validate()
    assert not Result(5, validators=[is_large, is_large]).validate()
    assert Result(5).validate()
    assert asked == [12, 5, 5]


def test_results_are_equal_if_kind_value_location_and_serializer_are() -> None:
    assert Result(1) == Result(1, serializer=PickleSerializer())
    assert Result(1) != Result(1, serializer=JSONSerializer())
    assert Result(None) != NoResult
    assert Result(1) != ConstantResult(1)
    assert LocalResult("/a") != LocalResult("/b")


@pytest.mark.parametrize("method", ["read", "write", "exists"])
def test_the_base_keeps_nothing(method: str) -> None:
    with pytest.raises(NotImplementedError):
        getattr(Result(3), method)("x")


def test_constants_and_secrets_are_not_written() -> None:
    for result in (ConstantResult(3), SecretResult(PrefectSecret("A"))):
        assert not result.keeps_values
        with pytest.raises(ValueError, match="cannot be written"):
            result.write(4)
    constant = ConstantResult(None)
    assert constant.read("whatever") is constant
    for make in (lambda: ConstantResult(3, serializer=None), lambda: SecretResult(PrefectSecret("A"), serializer=None)):
        with pytest.raises(ValueError, match="takes no serializer"):
            make()


def test_a_prefect_result_tells_its_value_as_text() -> None:
    written = PrefectResult(value=42).write(99)

    assert (written.value, written.location) == (99, "99")
    assert PrefectResult().read('"text"') == PrefectResult("text", location='"text"')
    assert PrefectResult().exists("[0, 1]")
    assert not PrefectResult().exists([0, 1])
    with pytest.raises(TypeError):
        PrefectResult(serializer=PickleSerializer())


def test_a_prefect_result_of_a_moment_goes_to_another_process() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    written = PrefectResult(serializer=DateTimeSerializer()).write(moment)

    again = State.deserialize(json.loads(json.dumps(Success(result=written).serialize())))

    assert again.result == moment
    assert isinstance(again._result, InlineResult)


def test_the_folder_of_a_local_result_is_that_of_the_home() -> None:
    assert LocalResult().dir == str(Path(config.home_dir) / "results") == LocalResult(config.home_dir).dir
    assert LocalResult("/tmp/other").copy().dir == "/tmp/other"


def test_values_of_results_in_buckets_are_not_options_of_the_bucket() -> None:
    for kind in (S3Result, GCSResult):
        result = kind("bucket", value=3, location="x")
        assert (result.value, result.location, result.options) == (3, "x", {})


def test_results_that_were_pickled_before_are_read() -> None:
    """As pickle wrote results whose serializer was a field, and folders under the name `dir`."""
    result = LocalResult("/a")
    state = ({"dir": "/b"}, {"location": "{x}", "serializer": None, "value": 1})

    result.__setstate__(state)

    assert (result.dir, result.location, result.value, result.serializer) == ("/b", "{x}", 1, PickleSerializer())


@pytest.mark.parametrize("module", [bz2, gzip, lzma, zlib])
def test_serializers_compress_by_a_module_or_by_two_functions(module: Any) -> None:
    by_name = CompressedSerializer(JSONSerializer(), format=module.__name__)
    by_functions = CompressedSerializer(JSONSerializer(), compress=module.compress, decompress=module.decompress)

    assert by_name == by_functions == pickle.loads(pickle.dumps(by_functions))
    assert json.loads(module.decompress(by_functions.serialize([1, 2]))) == [1, 2]
    assert by_name.deserialize(by_functions.serialize([1, 2])) == [1, 2]
    assert serializer_from(by_name.reference()) == by_name
    assert serializer_from(by_functions.reference()) is None


def test_compression_takes_arguments() -> None:
    serializer = CompressedSerializer(
        PickleSerializer(), "lzma", compress_kwargs={"format": lzma.FORMAT_ALONE}, decompress_kwargs={"format": lzma.FORMAT_AUTO}
    )

    assert serializer.deserialize(serializer.serialize({"a": 1})) == {"a": 1}
    assert serializer != CompressedSerializer(PickleSerializer(), "lzma")


def test_compressions_that_cannot_be_are_refused() -> None:
    with pytest.raises(ImportError, match="'foobar' is not installed"):
        CompressedSerializer(PickleSerializer(), format="foobar")
    for arguments in (
        {},
        {"format": "json"},
        {"format": "gzip", "compress": gzip.compress, "decompress": gzip.decompress},
        {"compress": gzip.compress},
    ):
        with pytest.raises(ValueError, match="compress"):
            CompressedSerializer(PickleSerializer(), **arguments)


def test_what_events_tell_does_not_choose_what_is_imported() -> None:
    assert serializer_from({"type": "CompressedSerializer", "format": "antigravity", "serializer": {"type": "JSONSerializer"}}) is None


def test_pickles_that_were_written_as_text_are_read() -> None:
    assert PickleSerializer().deserialize(b64encode(cloudpickle.dumps([1, 2]))) == [1, 2]
    with pytest.raises(pickle.UnpicklingError, match="stack underflow"):
        PickleSerializer().deserialize(b"bad-bytes")


def test_result_handlers_make_the_results_that_took_their_place(tmp_path: Path) -> None:
    assert result_handlers.LocalResultHandler(str(tmp_path)) == LocalResult(tmp_path)
    assert result_handlers.JSONResultHandler() == PrefectResult()
    assert result_handlers.S3ResultHandler("b", {"region_name": "x"}) == S3Result("b", {"region_name": "x"})
    with pytest.raises(InvalidArgument, match="results took the place"):
        type("Own", (result_handlers.ResultHandler,), {})


def test_states_are_equal_by_the_values_of_their_results() -> None:
    assert Success() == Success(result=None)
    assert Success(result=PrefectResult(value=1, location="1")) == Success(result=1)
    assert Success(result=1) != Success(result=2)


def test_what_writes_is_given_parameters_context_and_inputs(tmp_path: Path) -> None:
    given: dict[str, Any] = {}

    class Asks(Folder):
        def write(self, value_: Any, **kwargs: Any) -> Result:
            given.update(kwargs)
            return super().write(value_, **kwargs)

    @task(result=Asks(str(tmp_path)))
    def load(rows: int, value_: str, date: str) -> int:
        return rows

    with set_temporary_config({"flows.checkpointing": True}), Flow("etl") as flow:
        load(Parameter("day", default=7), "x", date="yesterday")
    with set_temporary_config({"flows.checkpointing": True}):
        assert flow.run().is_successful()

    assert (given["rows"], given["day"], given["date"], given["task_name"]) == (7, 7, "yesterday", "load")
    assert "value_" not in given


def test_inputs_do_not_change_where_values_are_kept_by_default(tmp_path: Path) -> None:
    @task(result=LocalResult(str(tmp_path)))
    def load(map_index: int, task_slug: str, attempt: int) -> int:
        return map_index

    with Flow("etl") as flow:
        made = load(5, "../../other", 3)
    with set_temporary_config({"flows.checkpointing": True}):
        state = flow.run()

    location = Path(state.result[made]._result.location)
    assert (location.name, location.parent.parent) == ("load-1", tmp_path / "etl")
