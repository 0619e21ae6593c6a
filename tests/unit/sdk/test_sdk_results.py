"""Where results are kept, and in which form."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, task
from headwater.core.errors import InvalidArgument
from headwater.sdk import results
from headwater.sdk.results import AzureResult, ConstantResult, GCSResult, InlineResult, LocalResult, Result, S3Result, SecretResult
from headwater.sdk.results.serializers import (
    CompressedSerializer,
    DateTimeSerializer,
    JSONSerializer,
    PandasSerializer,
    PickleSerializer,
    Serializer,
    serializer_from,
)
from headwater.sdk.states.state import Cached, State, Success
from headwater.sdk.task_library.secrets import EnvVarSecret

# The libraries of S3 warn of each other.
pytestmark = pytest.mark.filterwarnings("ignore")
BUCKET = "results"
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    """A server that speaks S3, with one bucket, in a process of its own."""
    program = (
        "from moto.server import ThreadedMotoServer\n"
        "server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False); server.start()\n"
        "print('%s:%d' % server.get_host_and_port(), flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **AWS},
    ) as server:
        assert server.stdout is not None
        address = f"http://{server.stdout.readline().strip()}"
        yield address
        server.kill()


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What boto3 needs to find the server."""
    import s3fs

    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    files = s3fs.S3FileSystem(client_kwargs={"endpoint_url": s3_address}, use_listings_cache=False)
    if not files.exists(BUCKET):
        files.mkdir(BUCKET)
    return {"endpoint_url": s3_address}


@pytest.mark.parametrize(
    ("serializer", "value"),
    [
        (PickleSerializer(), {"a": {1, 2}}),
        (JSONSerializer(), {"a": [1, None]}),
        (DateTimeSerializer(), datetime(2026, 11, 21, 12, tzinfo=UTC)),
        (CompressedSerializer(JSONSerializer(), "zlib"), ["x" * 1000]),
        (CompressedSerializer(CompressedSerializer(PickleSerializer(), "bz2"), "lzma"), (1, 2)),
    ],
)
def test_values_survive_their_serializer_and_it_its_reference(serializer: Serializer, value: Any) -> None:
    again = serializer_from(serializer.reference())

    assert again == serializer
    assert again is not None
    assert again.deserialize(serializer.serialize(value)) == value


def test_data_frames_are_written_in_the_formats_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    serializer = PandasSerializer("csv", serialize_kwargs={"index": False})

    again = serializer_from(serializer.reference())

    assert again is not None
    assert again.deserialize(serializer.serialize(frame)).equals(frame)
    with pytest.raises(InvalidArgument, match="cannot read and write 'paper'"):
        PandasSerializer("paper")


def test_serializers_refuse_what_they_cannot_write() -> None:
    with pytest.raises(InvalidArgument, match="takes a datetime"):
        DateTimeSerializer().serialize("2026")
    with pytest.raises(InvalidArgument, match="'rar' is not installed"):
        CompressedSerializer(JSONSerializer(), "rar")


def test_a_bucket_keeps_values_under_whole_addresses(s3: dict[str, Any]) -> None:
    result = S3Result(BUCKET, s3, location="{flow_name}/{x}.json", serializer=JSONSerializer())

    assert not result.exists("f/1.json")
    written = result.write([1, 2], flow_name="f", x=1)

    assert written.location == f"s3://{BUCKET}/f/1.json"
    assert result.exists("{flow_name}/1.json", flow_name="f")
    assert result.read("f/1.json").value == result.read(written.location).value == [1, 2]
    assert written.reference() == {"type": "S3Result", "location": written.location, "serializer": {"type": "JSONSerializer"}}


def test_objects_are_written_with_the_options_for_uploads(s3: dict[str, Any]) -> None:
    result = S3Result(BUCKET, s3, upload_options={"ContentType": "text/markdown"}, serializer=JSONSerializer())

    written = result.copy().write("# Report", flow_name="f", task_slug="report")

    told = written._files().info(written.location)  # type: ignore[attr-defined]
    assert told["ContentType"] == "text/markdown"
    assert written.read(str(written.location)).value == "# Report"


def test_a_target_in_a_bucket_serves_the_next_run(s3: dict[str, Any]) -> None:
    @task(result=S3Result(BUCKET, s3), target="targets/{task_name}")
    def answer() -> int:
        return 42

    flow = Flow("f", tasks=[answer])

    first, second = flow.run().result[answer], flow.run().result[answer]

    assert [type(first), type(second)] == [Success, Cached]
    assert second.result == 42


def test_a_state_tells_another_process_enough_to_read_the_value(s3: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    written = S3Result(BUCKET, s3, serializer=CompressedSerializer(JSONSerializer(), "zlib")).write("value", flow_name="f", task_slug="t")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3["endpoint_url"])

    again = State.deserialize(Success("done", written).serialize())

    assert (again.result, again.load_result().result) == (None, "value")


@pytest.mark.parametrize("kind", [S3Result, GCSResult, AzureResult])
def test_a_result_without_a_bucket_says_so(kind: type[Result]) -> None:
    with pytest.raises(InvalidArgument, match="lies in no bucket"):
        kind().read("some/key")
    assert kind("b").keeps_values


def test_libraries_that_are_missing_are_named_with_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)

    with pytest.raises(InvalidArgument) as caught:
        GCSResult("bucket").read("key")

    assert "headwater[gcs]" in str(caught.value.hint)


def test_inline_results_hold_small_json_and_refuse_the_rest() -> None:
    assert results.PrefectResult is InlineResult
    assert InlineResult().write({"a": 1}).reference()["value"] == {"a": 1}
    assert InlineResult().read('{"a": 1}').value == {"a": 1}
    with pytest.raises(InvalidArgument, match="at most 65536 bytes"):
        InlineResult().write("x" * 70_000)
    with pytest.raises(InvalidArgument, match="JSON values only"):
        InlineResult().write({1, 2})


def test_constants_and_secrets_are_at_hand_and_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2")
    secret = SecretResult(EnvVarSecret("PASSWORD"))

    assert (ConstantResult(5).read("").value, ConstantResult(5).exists("")) == (5, True)
    assert secret.read("PASSWORD").value == "hunter2"
    assert not secret.keeps_values
    assert "hunter2" not in repr(secret.reference())


def test_a_template_names_the_parameters_and_inputs_of_the_run(tmp_path: Path) -> None:
    @task(result=LocalResult(tmp_path, location="{task_slug}/{x}-{map_index}"))
    def double(x: int) -> int:
        return x * 2

    with Flow("f") as flow:
        double.map([5, 6])

    from headwater.sdk.context.configuration import set_temporary_config

    with set_temporary_config({"flows.checkpointing": True}):
        flow.run()

    assert sorted(path.name for path in (tmp_path / "double-1").iterdir()) == ["5-0", "6-1"]
