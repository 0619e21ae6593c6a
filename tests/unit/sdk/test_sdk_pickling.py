"""Code that is pickled keeps the name of the file it was written in, whatever cloudpickle makes of that."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, task
from headwater.sdk.context.pickling import dumps
from headwater.sdk.results.serializers import PickleSerializer
from headwater.sdk.storage.pickled import load_saved_flow, save_flow

SHAPES = {
    "a function": "def made(): pass",
    "a lambda": "made = lambda x: x",
    "a function in a function": "def outer():\n    def made(): return [each for each in range(3)]\n    return made\nmade = outer()",
    "a closure": "def outer(x):\n    return lambda: x\nmade = outer(1)",
    "a generator": "def made():\n    yield from (each for each in range(3))",
    "a coroutine": "async def made(): return {k: v async for k, v in other()}",
    "a class with methods": "class made:\n    def method(self): return lambda: 1\n    @property\n    def shown(self): return 1",
    "a partial": "from functools import partial\nmade = partial(lambda x: x, 1)",
    "functions in a list": "made = [lambda: 1, lambda: 2]",
    "a function with defaults that are functions": "def made(x=lambda: 1): pass",
}


@pytest.mark.parametrize("file", ["/home/ana/flows/daily.py", "<ipython-input-7>", "/home/ana/naïve folder/flow.py"])
@pytest.mark.parametrize("shape", SHAPES)
def test_code_of_every_shape_keeps_its_file(shape: str, file: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SHAPES[shape], file, "exec"), namespace)

    again = cloudpickle.loads(dumps(namespace["made"]))

    assert {code.co_filename for code in _codes_in(again)} == {file}


def test_a_pickle_is_read_by_pickle_itself() -> None:
    written = dumps(lambda x: x + 1)

    assert pickle.loads(written)(1) == 2


def test_a_kept_value_that_holds_code_keeps_its_file() -> None:
    serializer = PickleSerializer()

    assert serializer.deserialize(serializer.serialize(_sum)).__code__.co_filename == __file__


def test_the_traceback_of_a_stored_flow_names_the_file_that_is_not_there_any_more(tmp_path: Path) -> None:
    script = tmp_path / "gone.py"
    script.write_text(
        textwrap.dedent("""\
        import sys
        from headwater import Flow, task
        from headwater.storage.pickled import save_flow
        from pathlib import Path

        def deep():
            raise KeyError("row")

        @task
        def fail():
            deep()

        save_flow(Flow("stored", tasks=[fail]), Path(sys.argv[1]))
    """)
    )
    subprocess.run([sys.executable, "-P", script, tmp_path / "stored.flow"], check=True)
    script.unlink()

    state = load_saved_flow(tmp_path / "stored.flow").run()

    assert state is not None
    (failed,) = state.result.values()
    assert [(frame.filename, frame.lineno) for frame in traceback.extract_tb(failed.result.__traceback__)][-2:] == [
        (str(script), 11),
        (str(script), 7),
    ]


def test_a_flow_is_pickled_to_the_same_bytes_each_time(tmp_path: Path) -> None:
    @task
    def add(x: int) -> int:
        return sum([x, 1])

    flow = Flow("steady", tasks=[add.copy()])

    assert save_flow(flow, tmp_path / "first").read_bytes() == save_flow(flow, tmp_path / "second").read_bytes()


def _sum(x: int, y: int) -> int:
    return x + y


def _codes_in(value: Any) -> Iterator[CodeType]:
    """Yield all code in a value, the code inside of code too."""
    if isinstance(value, CodeType):
        yield value
        for constant in value.co_consts:
            yield from _codes_in(constant)
    elif isinstance(value, list):
        for each in value:
            yield from _codes_in(each)
    elif isinstance(value, type):
        for each in vars(value).values():
            yield from _codes_in(getattr(each, "fget", each))
    elif callable(value):
        function = getattr(value, "func", value)
        yield from _codes_in(getattr(function, "__code__", None))
        for default in getattr(function, "__defaults__", None) or ():
            yield from _codes_in(default)
