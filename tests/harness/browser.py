"""A real Chromium for tests: found on this machine, started headless, with every complaint of a page noted.

Debian's package is `chromium` (`make browser` installs it); HEADWATER_TEST_CHROMIUM names another one. Without one, tests that need it are
skipped on a developer's machine and fail where CI is set: there the browser is part of the job.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

WAIT_MILLISECONDS = 30_000
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def find_chromium() -> str | None:
    """The program to start, or None where there is none."""
    named = os.environ.get("HEADWATER_TEST_CHROMIUM")
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; it ends with the block. The test is skipped, or fails in CI, where none is installed."""
    program = find_chromium()
    if program is None:
        words = "no Chromium is installed; `make browser` installs Debian's, HEADWATER_TEST_CHROMIUM names another one"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


class Complaints:
    """What a page complained of: errors in its scripts, and what its content policy forbade."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def listen_to(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.words.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.words.append(message.text)


@contextmanager
def open_page(browser: Browser, url: str, *, tolerated: str = "never", **options: Any) -> Iterator[Page]:
    """A page in a browser profile of its own, on this site; at the end it must have complained of nothing but what is tolerated."""
    context = browser.new_context(base_url=url, viewport=options.pop("viewport", {"width": 1280, "height": 900}), **options)
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    complaints = Complaints()
    complaints.listen_to(page)
    yield page
    assert [words for words in complaints.words if tolerated not in words] == []
    context.close()


def screenshot(page: Page, path: Path) -> None:
    """The whole page as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
