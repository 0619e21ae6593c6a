"""The program whose flow a worker's tasks belong to: the processes that these start execute it again, as Python does everywhere."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple

from headwater.sdk.storage import stored_code


class MainProgram(NamedTuple):
    """A script, or a module that was started by `python -m`."""

    file: str
    module: str | None

    def become(self) -> None:
        """Let `multiprocessing` take this worker for a process of the program: processes started by spawn find its functions."""
        main = sys.modules["__main__"]
        main.__file__ = self.file
        main.__spec__ = None if self.module is None else ModuleSpec(self.module, None, origin=self.file)


def main_program() -> MainProgram | None:
    """Return the program of this process; None where it has none, or executes a flow that was stored: its code is found otherwise."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if stored_code.is_known() or file is None or not Path(file).is_file():
        return None
    spec = getattr(main, "__spec__", None)
    return MainProgram(str(Path(file).absolute()), None if spec is None else spec.name)
