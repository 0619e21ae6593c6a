"""Values as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.program.user_paths import user_path
from headwater.sdk.context.configuration import data_home, is_data_home, write_in_home
from headwater.sdk.context.files import file_name
from headwater.sdk.context.values import current_values
from headwater.sdk.results.result import Result


class LocalResult(Result):
    """Keeps values as files below `dir` (default: `results` in Headwater's home directory).

    Files are written whole or not at all, in folders that are made as needed. The default location is
    `<flow name>/<run id>/<task slug>[-<map index>][-<attempt>][-loop<count>]`.

    Args:
        dir: the folder.
        validate_dir: whether a `dir` that is there and is not a folder is refused.
        settings: those of `Result`.

    Raises:
        InvalidArgument: with `validate_dir`, `dir` is there and is not a folder.

    """

    def __init__(
        self,
        dir: str | Path | None = None,  # noqa: A002 - the name people know
        validate_dir: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        chosen = user_path(dir).absolute() if dir is not None else None
        # The home itself holds more than results.
        self.dir = None if chosen is None or is_data_home(chosen) else str(chosen)
        if validate_dir and chosen is not None and chosen.exists() and not chosen.is_dir():
            raise InvalidArgument(
                f"A LocalResult keeps values in a folder, and {chosen} is not a folder.", hint="Give dir the path of a folder."
            )

    @property
    def dir(self) -> str:
        """The folder. Where none was chosen, that of the home where this is asked: another machine's is another."""
        return str(self.folder)

    @dir.setter  # noqa: A003 - the name people know
    def dir(self, chosen: str | None) -> None:
        vars(self)["dir"] = chosen

    @property
    def folder(self) -> Path:
        """The folder, as a path."""
        chosen = vars(self)["dir"]
        return Path(chosen) if chosen is not None else data_home() / "results"

    def _path(self, location: str) -> Path:
        return self.folder / location

    def write(self, value_: Any, **kwargs: Any) -> Result:
        filled = self._filled(kwargs)
        path = self._path(default_location(kwargs) if filled is None else filled)
        write_in_home(path, self.serializer.serialize(value_))
        return self.at(str(path), value_)

    def read(self, location: str) -> Result:
        return self.at(location, self.serializer.deserialize(self._path(location).read_bytes()))

    def exists(self, location: str, **kwargs: Any) -> bool:
        return self._path(location.format(**kwargs)).exists()


def default_location(known: dict[str, Any]) -> str:
    """Return a location that no other task run, no other attempt, and no other round of a loop uses."""
    in_force = current_values.get()
    context = in_force if "flow_run_id" in in_force else known
    last = [file_name(str(context.get("task_slug", "value")))]
    if context.get("map_index") is not None:
        last.append(str(context["map_index"]))
    if "attempt" in context:
        last.append(str(context["attempt"]))
    if "task_loop_count" in context:
        last.append(f"loop{context['task_loop_count']}")
    folders = (file_name(str(context.get(key, "unnamed"))) for key in ("flow_name", "flow_run_id"))
    return "/".join([*folders, "-".join(last)])
