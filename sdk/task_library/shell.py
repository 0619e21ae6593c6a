"""A task that runs commands of a shell."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import IO, Any, Self

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.task import Task
from headwater.sdk.states.signals import FAIL

_LOOK_SECONDS = 0.05
"""So long it waits for output at most before it can be interrupted in a thread, where only steps of Python code can be."""
_LOOKS_FOR_A_THREAD = 20
"""A thread that has no identity after so many looks was interrupted before it began."""
_GRACE_SECONDS = 0.5
"""What an interrupted command may take to end after SIGTERM. A time-out insists a second after it."""
_READ_BYTES = 65536


class ShellTask(Task):
    """Runs commands of a shell, and returns the last line that they write; their errors are part of the output.

    Arguments of `run` are stronger than those given here. A time-out, and a run that is cancelled, end the shell and all it started.

    Args:
        command: the commands, as many lines as there are.
        env: environment variables besides those of the process, as texts.
        helper_script: commands before `command`, in the same shell: functions, directories, variables.
        shell: the shell's program.
        return_all: whether the result is the list of all lines, instead of the last one.
        log_stderr: whether the output is logged when the commands fail: the last line, or all with `return_all`.
        stream_output: whether each line is logged as it comes; a level, such as `"DEBUG"`, says how. `log_stderr` adds nothing then.
        settings: the settings of every task.

    Raises:
        TypeError: `stream_output` is not a level of logging.

    """

    def __init__(  # noqa: PLR0917 - the order people know
        self,
        command: str | None = None,
        env: Mapping[str, str] | None = None,
        helper_script: str | None = None,
        shell: str = "bash",
        return_all: bool = False,
        log_stderr: bool = False,
        stream_output: bool | int | str = False,
        **settings: Any,
    ) -> None:
        self.command = command
        self.env = env
        self.helper_script = helper_script
        self.shell = shell
        self.return_all = return_all
        self.log_stderr = log_stderr
        self.stream_output = _level(stream_output)
        super().__init__(**settings)

    @defaults_from_attrs("command", "env", "helper_script")
    def run(
        self, command: str | None = None, env: Mapping[str, str] | None = None, helper_script: str | None = None
    ) -> str | list[str] | None:
        """Run the commands.

        Returns:
            The last line of the output, None if there is no output; or all lines, with `return_all`.

        Raises:
            FAIL: the exit status is not 0. The result of the state is what would have been returned.
            TypeError: there is no command.

        """
        if command is None:
            raise TypeError("ShellTask has no command to run; give it command= when it is made or when it is called.")
        logger = context.logger
        lines: list[str] = []
        with _script(helper_script, command) as script, _Shell([self.shell, script.name], {**os.environ, **(env or {})}) as shell:
            for line in shell.lines():
                if not self.return_all:
                    lines.clear()
                lines.append(line)
                if self.stream_output:
                    logger.log(self.stream_output, "%s", line)
            status = shell.wait()
        result = lines if self.return_all else (lines[-1] if lines else None)
        if status:
            message = f"Command failed with exit code {status}"
            logger.error("%s", message)
            if self.log_stderr and not self.stream_output and lines:
                logger.error("%s", "\n".join(lines))
            raise FAIL(message, result=result)
        return result


def _level(chosen: bool | int | str) -> int:
    """Return the level with which output is logged; 0 for not at all."""
    if isinstance(chosen, str):
        level = logging.getLevelNamesMapping().get(chosen)
        if level is None:
            raise TypeError(f"stream_output={chosen!r} is not a level of logging; use True, or a level such as 'INFO' or 'DEBUG'.")
        return level
    return logging.INFO if chosen is True else int(chosen)


def _script(helper_script: str | None, command: str) -> IO[bytes]:
    """Return a file with the commands, which is removed when it is closed."""
    file = tempfile.NamedTemporaryFile(prefix="headwater-")  # noqa: SIM115 - the caller closes it
    file.write("\n".join(part for part in (helper_script, command) if part).encode())
    file.flush()
    return file


class _Shell:
    """A program in a session of its own. Whatever ends the block before the program has ended ends the program and its group."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: BaseException | None = None
        self._is_settled = False

    def __enter__(self) -> Self:
        # An interrupt may come at any step of this thread. In another one the program is started and known, or not started at all.
        starting = threading.Thread(target=self._start, name="headwater-shell")
        try:
            starting.start()
            starting.join()
        except BaseException as error:
            self._settle(starting)
            self.__exit__(type(error))
            raise
        if self._refused is not None:
            raise self._refused
        return self

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's commands is what the task is for
                self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment, start_new_session=True
            )
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._refused = error
        finally:
            self._is_settled = True

    def _settle(self, starting: threading.Thread) -> None:
        """Return when the program is started, or will never be.

        By looking: until Python 3.13 a `join` that was interrupted takes a running thread for one that has ended (gh-90882).
        """
        looks = 0
        while not self._is_settled and (starting.ident is not None or looks < _LOOKS_FOR_A_THREAD):
            time.sleep(_LOOK_SECONDS)
            looks += 1

    def lines(self) -> Iterator[str]:
        """Yield each line of the output as it comes, without what ends it. Bytes that are not UTF-8 are escaped."""
        output, rest = self._output(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                if not selector.select(_LOOK_SECONDS):
                    continue
                data = os.read(output.fileno(), _READ_BYTES)
                *whole, rest = (rest + data).split(b"\n")
                if not data and rest:
                    whole.append(rest)
                for line in whole:
                    yield line.decode(errors="backslashreplace").rstrip()
                if not data:
                    return

    def wait(self) -> int:
        """Return the exit status when the program has ended."""
        assert self._process is not None
        while True:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(_LOOK_SECONDS)

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        process = self._process
        if process is None:
            return
        try:
            if process.poll() is None:
                _signal_group(process, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE_SECONDS)
        finally:
            if process.poll() is None or error is not None:
                _signal_group(process, signal.SIGKILL)
            process.wait()
            self._output().close()

    def _output(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
