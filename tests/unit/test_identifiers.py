"""Ids of task runs: one reader for both forms, exact whatever a slug holds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import parsed_task_run_id, task_run_address, task_run_path
from headwater.core.values.limits import INT32_MAX

RUN = "0198c0de-0000-7000-8000-000000000001"
SLUGS = st.text(min_size=1) | st.text("/:-01a\n", min_size=1)


@given(st.uuids().map(str), SLUGS, st.integers(-1, INT32_MAX))
@example(RUN, "rows['a/b']-1", -1)
@example(RUN, "a/-1", 3)
@example(RUN, "-1:a", -1)
@example(RUN, ":", 0)
@example(RUN, "/", 0)
def test_what_is_written_is_read_in_both_forms(run_id: str, slug: str, map_index: int) -> None:
    for write in (task_run_address, task_run_path):
        assert parsed_task_run_id(write(run_id, slug, map_index)) == (run_id, slug, map_index)


def test_the_run_may_be_written_as_uuids_may() -> None:
    assert parsed_task_run_id(f"{RUN.upper()}/load-1/-1") == parsed_task_run_id(f"{RUN.replace('-', '')}:-1:load-1") == (RUN, "load-1", -1)


@pytest.mark.parametrize(
    "hostile",
    [
        *("", "/", ":", "::", "//", "load-1", RUN, f"{RUN}/", f"{RUN}:", f"{RUN}/load-1", f"{RUN}:load-1", f"{RUN}:-1", f"{RUN}:-1:"),
        *(f"{RUN}//-1", f"{RUN}/load-1/", f"{RUN}/load-1/-2", f"{RUN}/load-1/x", f"{RUN}/load-1/ 1", f"{RUN}/load-1/+1", f"{RUN}/a/1_0"),
        *(f"{RUN}/load-1/01", f"{RUN}/load-1/-0", f"{RUN}/load-1/{INT32_MAX + 1}", f"{RUN}/load-1/{'9' * 6000}", f"{RUN}/load-1/²"),
        *(f"{RUN}:x:load-1", f"{RUN}:-2:load-1", f"{RUN}:\u0661:load-1", "x/load-1/-1", "x:-1:load-1", "/load-1/-1", ":-1:load-1", " / / "),
        *(None, 7, b"run/load-1/-1", [RUN, "load-1", -1]),
    ],
)
def test_what_is_not_the_id_of_a_task_run_is_refused_with_a_sentence(hostile: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parsed_task_run_id(hostile)  # type: ignore[arg-type]

    assert "is not the id of a task run" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "<run id>/<slug>/<map index>" in (caught.value.hint or "")
