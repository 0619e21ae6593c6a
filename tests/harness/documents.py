"""The project's own documentation as data: its files, their code blocks, the commands in these and the output shown below each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_OPERATORS = frozenset("();<>|&")


@dataclass
class Shown:
    """A command as a document shows it, and the lines of output below it. A command of `^C` is the keys, pressed."""

    command: str
    output: list[str] = field(default_factory=list)
    line: int = 0


@dataclass(frozen=True)
class Block:
    """A fenced block. `title` is the file it shows, where the fence names one."""

    language: str
    title: str
    text: str
    line: int

    def commands(self) -> list[Shown]:
        """Return what stands behind `$`, or `^C`, each with the output below it. Lines ending in `\\` go on in the next."""
        found: list[Shown] = []
        continued = False
        for number, line in enumerate(self.text.splitlines(), start=self.line + 1):
            if continued:
                found[-1].command += "\n" + line
            elif line.startswith("$ "):
                found.append(Shown(line[2:], line=number))
            elif line == "^C":
                found.append(Shown(line, line=number))
            elif found:
                found[-1].output.append(line)
            continued = (continued or line.startswith("$ ")) and line.endswith("\\")
        return found


@dataclass(frozen=True)
class Document:
    """A Markdown file of the project."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self) -> list[Block]:
        return [self._block(match) for match in _FENCE.finditer(self.text)]

    def _block(self, match: re.Match[str]) -> Block:
        language, _, title = match["info"].strip().partition(" ")
        indent = match["indent"]
        text = "".join(line.removeprefix(indent) for line in match["text"].splitlines(keepends=True))
        return Block(language, title.strip(), text, self.text.count("\n", 0, match.start()) + 1)

    def prose(self) -> str:
        """Return the text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def anchors(self) -> set[str]:
        """Return the names by which its headings can be linked to."""
        found: set[str] = set()
        for heading in re.findall(r"^#{1,6} +(.+?) *#*$", self.prose(), re.MULTILINE):
            anchor = anchor_of(heading)
            number = 1
            unique = anchor
            while unique in found:
                unique, number = f"{anchor}-{number}", number + 1
            found.add(unique)
        return found

    def links(self) -> list[str]:
        """Return the targets of its links and pictures."""
        prose = _INLINE.sub("", self.prose())
        beside = re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", prose)
        return beside + re.findall(r"^\[[^\]]+\]: (\S+)$", prose, re.MULTILINE)

    def calls(self) -> Iterator[list[str]]:
        """Yield each call of `headwater` in its blocks, as the words behind the program's name."""
        for block in self.blocks():
            if block.language == "console":
                for shown in block.commands():
                    yield from _calls(shown.command)

    def mentions(self) -> Iterator[list[str]]:
        """Yield each call of `headwater` in running text, whole or not, as the words behind the program's name."""
        for code in _INLINE.findall(self.prose()):
            if code.startswith("headwater "):
                yield from _calls(code)


def anchor_of(heading: str) -> str:
    """Return the name by which a heading is linked to."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def documents() -> list[Document]:
    """Return the Markdown files of the project."""
    places = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return [Document(path) for path in sorted(places)]


def _calls(line: str) -> Iterator[list[str]]:
    """Yield the calls of `headwater` in a line of shell, also those inside `$(...)`."""
    for inner in re.findall(r"\$\(([^()]*)\)", line):
        yield from _calls(inner)
    lexer = shlex.shlex(re.sub(r"\$\([^()]*\)", "SUBSTITUTED", line).replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    call: list[str] | None = None
    for word in lexer:
        if _OPERATORS.issuperset(word):
            if call is not None:
                yield call
            call = None
        elif call is not None:
            call.append(word)
        elif word == "headwater":
            call = []
    if call is not None:
        yield call
