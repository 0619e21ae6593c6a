"""What an agent does where it cannot speak, or stands nowhere: it says so in a sentence, and works on where it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headwater.agents.local import LocalAgent
from headwater.core.errors import SettingsError
from headwater.core.program.server_file import FILE_NAME, read_server_file

SPEAKS = """
from headwater.agents.agent.console import agent_logger
from headwater.agents.local.local_agent import _show_line
for _ in range(3):
    agent_logger().info("a line")
    _show_line("a line of a run")
import os, sys
sys.stderr.write("and goes on")
sys.stderr.flush()
os._exit(0)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full here")
def test_lines_that_cannot_be_written_are_reported_once_and_end_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", SPEAKS], stdout=full, stderr=subprocess.PIPE, text=True, check=True)

    assert done.stderr.count("What this agent says cannot be written: No space left on device.") == 1
    assert done.stderr.endswith("and goes on")
    assert "Traceback" not in done.stderr


def test_an_agent_started_in_a_directory_that_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="cannot be used: No such file or directory"):
        LocalAgent(nats_url="nats://127.0.0.1:1")
    monkeypatch.undo()


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xff", b"[" * 100_000, b'{"nats_url": 1}'])
def test_a_server_file_that_is_none_is_reported_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(data)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_server_file(tmp_path)
