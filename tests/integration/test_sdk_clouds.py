"""Results in Google Cloud Storage and in Azure: through `fsspec` always, against their emulators by `make clouds`.

The emulators bring more libraries than all the rest of Headwater, so `make test` does not install them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any

import pytest

from headwater import Flow, task
from headwater.sdk.results import AzureResult, GCSResult, Result
from headwater.sdk.results.serializers import JSONSerializer
from headwater.sdk.states.state import Cached, Success

pytestmark = pytest.mark.filterwarnings("ignore")  # of the clouds' own libraries
BUCKET = "results"


def a_bucket_keeps_values(result: Result) -> None:
    """What any kind of result owes: round trips, whole addresses, and targets that serve the next run."""
    twin = result.copy()
    twin.location, twin.serializer = "{flow_name}/{x}.json", JSONSerializer()
    assert not twin.exists("f/1.json")
    written = twin.write([1, 2], flow_name="f", x=1)

    assert twin.exists("{flow_name}/1.json", flow_name="f")
    assert twin.read("f/1.json").value == twin.read(str(written.location)).value == [1, 2]
    assert written.reference() == {"type": type(result).__name__, "location": written.location, "serializer": {"type": "JSONSerializer"}}

    @task(result=result, target="targets/{task_name}")
    def answer() -> int:
        return 42

    flow = Flow("f", tasks=[answer])
    first, second = flow.run().result[answer], flow.run().result[answer]
    assert [type(first), type(second), second.result] == [Success, Cached, 42]


@pytest.mark.parametrize(("kind", "scheme"), [(GCSResult, "gs"), (AzureResult, "abfs")])
def test_values_are_kept_through_whatever_fsspec_knows_under_the_scheme(
    kind: type[Any], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    # A file system of fsspec's own, under the scheme of a cloud.
    remembered = type("Remembered", (MemoryFileSystem,), {"protocol": scheme, "cachable": False, "store": {}, "pseudo_dirs": [""]})
    monkeypatch.setitem(import_module("fsspec.registry")._registry, scheme, remembered)

    a_bucket_keeps_values(kind(BUCKET))
    assert kind(BUCKET).write(1, flow_name="f", task_slug="t-1").location == f"{scheme}://{BUCKET}/f/unnamed/t-1"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def program(*arguments: str) -> Iterator[None]:
    """Run a program that prints a line when it is ready."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield
        finally:
            running.kill()


def test_google_cloud_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs", reason="make clouds")
    pytest.importorskip("gcp_storage_emulator", reason="make clouds")
    # Which kind of bucket it is, gcsfs asks by another protocol, which the emulator does not speak.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    port = free_port()
    serve = (
        "import sys; from gcp_storage_emulator.server import create_server\n"
        f"server = create_server('127.0.0.1', {port}, in_memory=True, default_bucket='{BUCKET}')\n"
        "server.start(); print('ready', flush=True); sys.stdin.read()\n"
    )
    with program(sys.executable, "-c", serve):
        a_bucket_keeps_values(GCSResult(BUCKET, token="anon", endpoint_url=f"http://127.0.0.1:{port}"))


def test_azure_blob_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adlfs", reason="make clouds")
    azurite = shutil.which("azurite-blob", path=os.environ["PATH"])
    if azurite is None:
        pytest.skip("make clouds")
    from azure.storage.blob import BlobServiceClient

    port = free_port()
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        # The key of every Azurite, published with it.
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    started = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    with program(azurite, *started):
        with BlobServiceClient.from_connection_string(connection) as account:
            account.create_container(BUCKET)
        a_bucket_keeps_values(AzureResult(BUCKET, connection))
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        assert AzureResult(BUCKET).read("targets/answer").value == 42
