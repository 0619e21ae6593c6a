"""What flows of every kind registered as, with a version of Headwater: later ones must register them as the same.

    PYTHONPATH=tests python tests/harness/kept_fingerprints.py v2     write those of today's code into tests/histories/fingerprints/v2.json

Code is compiled otherwise by each Python, so that a file holds those of one.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from headwater import Flow

HISTORIES = Path(__file__).parents[1] / "histories"
FOLDER = HISTORIES / "fingerprints"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def flows() -> list[Flow]:
    return [kind() for file in (HISTORIES / "homes" / "kept_flows.py", FOLDER / "flows_with_everything.py") for kind in _module(file).KINDS]


def _module(file: Path) -> Any:
    # Under the same name each time: the names of a flow's own modules are a part of what it is.
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def described(flow: Flow) -> dict[str, Any]:
    """All that decides whether a registration is a new version, but for the versions of Python and of Headwater."""
    return {name: value for name, value in json.loads(json.dumps(flow.serialize())).items() if name != "environment"}


if __name__ == "__main__":
    chosen = FOLDER / f"{sys.argv[1]}.json"
    if chosen.exists():
        sys.exit(f"{chosen} was written once, and stays as it is.")
    told = {"python": PYTHON, "flows": {flow.name: described(flow) for flow in flows()}}
    chosen.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
