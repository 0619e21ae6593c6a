"""The configuration of the flow language: `headwater.config.flows.checkpointing`, and so on.

Each value comes from the strongest of: an environment variable `HEADWATER__SECTION__KEY`, the file `config.toml` in
Headwater's home (`HEADWATER__USER_CONFIG_PATH` names another), and the defaults below. Variables are read as Python
values where they are such, and as text else; `${section.key}` stands for another value and `$NAME` for a variable.
Where servers and keys are is not said here: these are settings, `HEADWATER_...` with one underscore.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headwater.core.errors import SettingsError
from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.core.program.user_paths import SET_HOME, HomeUnavailable, user_path
from headwater.sdk.context.files import write_whole
from headwater.sdk.context.interpolation import interpolated, typed

PREFIX = "HEADWATER__"
FILE_VARIABLE = "HEADWATER__USER_CONFIG_PATH"
FILE_NAME = "config.toml"

DEFAULTS: dict[str, Any] = {
    "debug": False,
    "logging": {
        "level": "INFO",
        "format": LINE_FORMAT,
        "datefmt": TIME_FORMAT,
        "log_attributes": [],
        "extra_loggers": [],
    },
    "flows": {
        "checkpointing": False,
        "run_on_schedule": True,
        "eager_edge_validation": False,
        "defaults": {"storage": {"add_default_labels": True}},
    },
    "tasks": {"defaults": {"max_retries": 0, "retry_delay": None, "timeout": None}},
    "engine": {"executor": {"default_class": "headwater.executors.LocalExecutor", "dask": {"address": "", "cluster_class": ""}}},
    "context": {"secrets": {}},
}


def home_directory() -> Path:
    """Return Headwater's home: `HEADWATER_HOME`, or `~/.headwater`. It need not exist yet.

    Raises:
        HomeUnavailable: this user has no home directory, as in some containers, and the variable names none.

    """
    return user_path(_home_text(), hint=SET_HOME).absolute()


def _home_text() -> str:
    return os.environ.get("HEADWATER_HOME", "").strip() or "~/.headwater"


def data_home() -> Path:
    """Return where values, stored flows and saved flows go where nothing else is said: `home_dir` of the configuration.

    Raises:
        HomeUnavailable: as `home_directory`.

    """
    return user_path(str(config["home_dir"]), hint=SET_HOME).absolute()


def is_data_home(path: Path) -> bool:
    """Tell whether this is the home, if there is one."""
    try:
        return path == data_home()
    except HomeUnavailable:
        return False


def write_in_home(path: Path, data: bytes) -> None:
    """Write a file whole, as `write_whole`, where it lies in the home or where its user chose.

    Raises:
        HomeUnavailable: it lies in the home, which cannot be written.
        OSError: it lies elsewhere, and cannot be written.

    """
    try:
        write_whole(path, data)
    except OSError as error:
        home = next((folder for folder in path.parents if is_data_home(folder)), None)
        if home is None:
            raise
        reason = f"{path} in the home {home} cannot be written: {error.strerror or error}."
        raise HomeUnavailable(reason, hint=f"{SET_HOME.removesuffix('.')} that you may write to.") from error


class Section(MutableMapping[str, Any]):
    """A part of the configuration; its keys are attributes as well, and its sections are such mappings too."""

    __slots__ = ("_section",)

    def __init__(self, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_section", values)

    @property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = self._section
        return values

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        return Section(value) if isinstance(value, dict) else value

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value.to_dict() if isinstance(value, Section) else value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            near = get_close_matches(name, self, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"The configuration has no {name!r} here; it has {sorted(self)}.{meant}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def to_dict(self) -> dict[str, Any]:
        """Return a copy as plain dicts."""
        return copy.deepcopy(self._values)

    def copy(self) -> Section:
        """Return a copy whose keys and sections can be set without changing this one."""
        return Section(_copied(self._values))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {sorted(self)}>"


class Config(Section):
    """The whole configuration; read when it is first asked for."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__({})
        self.reload()

    @property
    def _values(self) -> dict[str, Any]:
        if self._section is None:
            object.__setattr__(self, "_section", load_configuration())
        values: dict[str, Any] = self._section
        return values

    def reload(self) -> None:
        """Read file and environment again when the configuration is asked for the next time."""
        object.__setattr__(self, "_section", None)

    def __reduce__(self) -> str:
        # What is configured on one machine stays there; code that goes to another finds what is configured there.
        return "config"


def load_configuration(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the configuration as nested dicts.

    Raises:
        SettingsError: the file cannot be read, a value refers to one that is not there, or a key is the name of a method.

    """
    given = os.environ if environment is None else environment
    values = copy.deepcopy(DEFAULTS)
    _merge(values, _from_file(given))
    for name in sorted(given):
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            keys = [key.lower() for key in name.removeprefix(PREFIX).split("__")]
            if keys[:2] == ["context", "secrets"]:
                # A secret is called as its user writes it.
                keys[2:] = ["__".join(name.removeprefix(PREFIX).split("__")[2:])]
            if all(keys):
                _put(values, keys, given[name] if keys[:2] == ["context", "secrets"] else typed(given[name]), name)
    _check_keys(values)
    return interpolated({"home_dir": _home_shown(), **values}, given)


def _home_shown() -> str:
    """Return the home as text. Where there is none it is an error for the code that needs one: a flow that keeps nothing runs without."""
    try:
        return str(home_directory())
    except HomeUnavailable:
        return _home_text()


def _from_file(environment: Mapping[str, str]) -> dict[str, Any]:
    import tomllib

    chosen = environment.get(FILE_VARIABLE)
    try:
        path = user_path(chosen) if chosen else home_directory() / FILE_NAME
    except HomeUnavailable:
        if chosen:
            raise
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if chosen:
            raise SettingsError(f"{FILE_VARIABLE} names {path}, which is not there.", hint="Write the file, or unset it.") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The configuration in {path} cannot be read: {error}.", hint="Correct the file.") from error


def _check_keys(values: Mapping[str, Any], inside: str = "") -> None:
    """Refuse keys that could not be reached as attributes: the methods of a section have these names."""
    for key, value in values.items():
        if inside != "context.secrets" and hasattr(Section, key):
            raise SettingsError(f"The configuration cannot have a key {key!r}: a section has a method of this name.", hint="Rename it.")
        if isinstance(value, Mapping):
            _check_keys(value, f"{inside}.{key}".strip("."))


def _merge(values: dict[str, Any], stronger: Mapping[str, Any]) -> None:
    for key, value in stronger.items():
        plain = value.to_dict() if isinstance(value, Section) else value
        if isinstance(plain, Mapping) and isinstance(values.get(key), dict):
            _merge(values[key], plain)
        else:
            values[key] = copy.deepcopy(plain)


def _put(values: dict[str, Any], keys: list[str], value: Any, name: str) -> None:
    *sections, last = keys
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise SettingsError(f"{name} cannot be used: {section!r} is a value and holds none.", hint="Correct the variable's name.")
    values[last] = value


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in values.items()}


def merged(values: Mapping[str, Any], stronger: Mapping[str, Any]) -> Section:
    """Return a configuration with these values, section by section over those of another."""
    section = _copied(values.to_dict() if isinstance(values, Section) else values)
    _merge(section, stronger)
    return Section(section)


config = Config()


@contextmanager
def set_temporary_config(values: Mapping[str, Any]) -> Iterator[Config]:
    """Set values, such as `{"flows.checkpointing": True}`, for the duration of a `with` block, in the whole process."""
    before = config._values  # noqa: SLF001 - it is its own
    changed = copy.deepcopy(before)
    for path, value in values.items():
        _put(changed, path.split("."), value, path)
    object.__setattr__(config, "_section", changed)
    try:
        yield config
    finally:
        object.__setattr__(config, "_section", before)
