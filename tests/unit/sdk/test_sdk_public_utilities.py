"""The small functions that flows import beside the language: dicts, files by address, objects by name, GraphQL as values; and run tasks."""

from __future__ import annotations

import json
import random
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Flow, context, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.client import Client
from headwater.sdk.client.graphql import (
    EnumValue,
    GQLObject,
    GraphQLResult,
    LiteralSetValue,
    compress,
    decompress,
    parse_graphql,
    parse_graphql_arguments,
    with_args,
)
from headwater.sdk.context.collections import (
    CompoundKey,
    DotDict,
    as_nested_dict,
    dict_to_flatdict,
    flatdict_to_dict,
    flatten_seq,
    merge_dicts,
)
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.context.importtools import import_object
from headwater.sdk.executors import LocalExecutor, ThreadExecutor
from headwater.sdk.executors.configured import configured_executor
from headwater.sdk.states.state import Failed, Success
from headwater.sdk.storage.filesystems import parse_path, read_bytes_from_path
from headwater.sdk.task_library.flow_runs import CancelFlowRun, RenameFlowRun, StartFlowRun, create_flow_run, get_task_run_result
from headwater.sdk.task_library.notifications.notifiers import slack_message_formatter, slack_notifier


def test_sequences_in_sequences_are_flattened() -> None:
    assert list(flatten_seq([[1, [2]], (3, "45"), "6"])) == [1, 2, 3, "45", "6"]
    with pytest.raises(TypeError):
        list(flatten_seq(1))  # type: ignore[arg-type]


def test_the_keys_of_a_dot_dict_are_attributes() -> None:
    values = DotDict({"a": 1, 2: "b"}, c=3)
    values.a += 1
    values["d"] = 4
    del values.c

    assert (values.a, values[2], values["d"], len(values), "c" in values) == (2, "b", 4, 3, False)
    assert repr(values) == "<DotDict: 'a', 'd', 2>"
    assert repr(DotDict()) == "<DotDict>"
    assert DotDict(x=1) == {"x": 1}
    assert {**DotDict(x=1)} == {"x": 1}
    with pytest.raises(AttributeError):
        _ = values.nothing
    with pytest.raises(KeyError):
        values["nothing"]
    with pytest.raises(TypeError):
        json.dumps(DotDict(x=1))


def test_dicts_become_dot_dicts_at_every_depth_and_back() -> None:
    original = {"a": 1, "b": [2, {"c": 3}], "d": {"e": ({"f": 4},)}}

    nested = as_nested_dict(original)

    assert (nested.b[1].c, nested.d.e[0].f) == (3, 4)
    assert nested.to_dict() == original == as_nested_dict(nested, dict)
    shadowed = as_nested_dict({"update": 1, "items": 2})
    assert (shadowed.update, shadowed.items) == (1, 2)
    as_nested_dict({"update": {"update": [{"x": 1}]}}, GraphQLResult)


@pytest.mark.parametrize("kind", [dict, DotDict])
def test_dicts_are_merged_key_by_key(kind: Any) -> None:
    first = kind(x=kind(one=1, two=2), y=kind(three=3), z=0)
    second = kind(x=kind(two=20), y=kind(), a=5)

    assert merge_dicts(first, second) == kind(x=kind(one=1, two=20), y=kind(three=3), z=0, a=5)
    assert first == kind(x=kind(one=1, two=2), y=kind(three=3), z=0)


_keys = st.text(max_size=3)


@given(st.dictionaries(_keys, st.recursive(st.integers(), lambda inner: st.dictionaries(_keys, inner, min_size=1))))
def test_a_flat_dict_is_made_nested_again(nested: dict[str, Any]) -> None:
    flat = dict_to_flatdict(nested)

    assert all(isinstance(key, CompoundKey) and not isinstance(value, dict) for key, value in flat.items())
    assert flatdict_to_dict(flat) == nested


def test_an_object_is_imported_by_its_path() -> None:
    assert import_object("random") is random
    assert import_object("random.randint") is random.randint
    assert import_object("headwater.utilities.importtools") is not None
    with pytest.raises(ImportError):
        import_object("no_such_module_anywhere")
    with pytest.raises(AttributeError):
        import_object("random.no_such_function")


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def do_POST(self) -> None:
        sent.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


sent: list[tuple[str, Any]] = []


@pytest.fixture
def web() -> Any:
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("scheme", ["", "file://", "agent://", "local://", "http"])
def test_bytes_are_read_from_an_address(scheme: str, tmp_path: Path, web: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"hello")

    assert read_bytes_from_path(f"http://{web}/a" if scheme == "http" else f"{scheme}{file}") == b"hello"


def test_addresses_are_taken_apart() -> None:
    assert parse_path("/path/to/file") == parse_path("local:///path/to/file") == ("file", "", "/path/to/file")
    assert parse_path("s3://bucket/path/to/file") == ("s3", "bucket", "/path/to/file")
    with pytest.raises(ValueError, match="unknown scheme"):
        read_bytes_from_path("gopher://a/b")


class Account(GQLObject):
    id = "id"


class Query(GQLObject):
    accounts = Account("accounts")


def test_a_query_is_written_as_values() -> None:
    fields: dict[Any, Any] = OrderedDict()
    fields["id"] = ...
    fields["name"] = True
    fields[with_args("authors", {"where": {"x": EnumValue("red")}})] = {"id"}
    fields[Query.accounts({"id": 5})] = [Account.id]

    assert parse_graphql({"query": {"books": fields}}) == (
        "query {\n    books {\n        id\n        name\n"
        "        authors(where: { x: red }) {\n            id\n        }\n"
        "        accounts(id: 5) {\n            id\n        }\n    }\n}"
    )
    assert str(Account()) == "account"
    assert str(Query.accounts("where: {id: 5}")) == "accounts(where: {id: 5})"
    assert parse_graphql_arguments({"a": {"x": 1}.keys(), "b": LiteralSetValue(["red", "blue"])}) == 'a: ["x"], b: "{red, blue}"'
    assert EnumValue("a") == EnumValue("a")
    assert len({EnumValue("a"), EnumValue("a"), "a"}) == 2


@pytest.mark.parametrize("value", ["abc", 42, None, ["a"], {"x": [1, 2]}])
def test_what_is_compressed_is_decompressed(value: Any) -> None:
    assert decompress(compress(value)) == value


def test_an_answer_of_graphql_is_shown_as_json() -> None:
    assert repr(GraphQLResult({"flow": [{"id": 1}]})) == '{\n    "flow": [\n        {\n            "id": 1\n        }\n    ]\n}'
    assert repr(GraphQLResult({"flow": Failed("no")})) == """{'flow': <Failed: "no">}"""


def test_slack_is_notified_through_a_proxy(web: str) -> None:
    sent.clear()
    state = Success("well")

    with context(secrets={"SLACK_WEBHOOK_URL": "http://slack.invalid/hook"}):
        assert slack_notifier(task(lambda: 1, name="load"), None, state, proxies={"http": f"http://{web}"}) is state

    assert sent == [("http://slack.invalid/hook", slack_message_formatter(task(lambda: 1, name="load"), state))]


def test_the_configuration_names_the_executor_of_flows_without_one() -> None:
    assert isinstance(configured_executor(), LocalExecutor)
    with set_temporary_config({"engine.executor.default_class": "headwater.executors.ThreadExecutor"}):
        assert isinstance(configured_executor(), ThreadExecutor)
        assert Flow("f", tasks=[task(lambda: 1)]).run().is_successful()
    for wrong in ("headwater.executors.Missing", "no_such_module.X", "headwater.Flow"):
        with set_temporary_config({"engine.executor.default_class": wrong}), pytest.raises(InvalidArgument, match="default_class names"):
            configured_executor()


def test_the_run_to_cancel_is_named_as_in_every_version() -> None:
    ways = [CancelFlowRun(flow_run_id="a"), CancelFlowRun("a"), CancelFlowRun(flow_run_id_to_cancel="a")]

    assert [each.flow_run_id for each in ways] == ["a", "a", "a"]


def test_tasks_about_runs_refuse_what_cannot_be() -> None:
    calls: list[tuple[Any, str]] = [
        (lambda: CancelFlowRun().run(), "no run that this is part of"),
        (lambda: RenameFlowRun().run(flow_run_name="new"), "no run that this is part of"),
        (lambda: RenameFlowRun().run(flow_run_id="a"), "the new name"),
        (create_flow_run.run, "either flow_id or flow_name"),
        (lambda: create_flow_run.run(flow_id="a", flow_name="b"), "either flow_id or flow_name"),
        (lambda: get_task_run_result.run(flow_run_id="a", task_slug=""), "the slug of a task"),
        (lambda: StartFlowRun(flow_name="a", parameters={"x": task(lambda: 1)}), "get the task, not its value"),
    ]
    for call, words in calls:
        with pytest.raises(ValueError, match=words):
            call()
    with context(flow_run_id="a"), pytest.raises(ValueError, match="the run it is part of"):
        get_task_run_result.run(flow_run_id="a", task_slug="load-1")


def test_arguments_of_start_flow_run_stand_in_the_known_order() -> None:
    made = StartFlowRun("flow", "project", {"x": 1}, None, True, {"k": 1}, "name")

    assert (made.name, made.wait, made.new_flow_context, made.run_name) == ("Flow flow", True, {"k": 1}, "name")


def test_the_client_tells_the_addresses_of_pages() -> None:
    client = Client(home="/no/such/home")
    run, flow = "0b0f4c05-0d55-4f8e-8a51-0c7b6a3d2f11", "0b0f4c05-0d55-8f8e-8a51-0c7b6a3d2f12"

    assert client.get_cloud_url("flow-run", run) == client.run_url(run)
    assert client.get_cloud_url("flow", flow, as_user=False) == client.flow_url(flow)
    assert client.get_cloud_url("task-run", f"{run}/load-1/3").endswith(f"/default/task-run/{run}/load-1?index=3")
    assert client.get_cloud_url("task-run", f"{run}/load-1/-1").endswith(f"/default/task-run/{run}/load-1")
    with pytest.raises(ValueError, match="no pages of 'tenant'"):
        client.get_cloud_url("tenant", run)
