"""Reads Asterisk's configuration files, as far as it takes to see what is switched on in them.

Rule: nothing is run (``#exec``), nothing but regular files is opened, and what is read is bounded.
Source: Asterisk documentation, "Asterisk Configuration Files".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.doctor.access import is_there
from asterisk_consent.errors import ConsentError

_LARGEST_BYTES = 4 << 20
_DEEPEST = 8
_BLOCK_COMMENT = re.compile(r";--(?!-).*?--;", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\);.*")
_SECTION = re.compile(r"\[([^\]]+)\]")
_INCLUDE = re.compile(r"#(?:try)?include\s+[\"<]?([^\">]+)[\">]?")
_YES = frozenset({"yes", "true", "y", "t", "1", "on"})
_NO = frozenset({"no", "false", "n", "f", "0", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line ``key = value`` or ``key => value`` of a section."""

    section: str
    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskConf:
    """What one file says, with what it includes; empty where there is no such file."""

    sections: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()

    def of(self, section: str) -> list[Setting]:
        """Return the settings of a section, in their order."""
        return [each for each in self.settings if each.section == section]

    def value(self, section: str, key: str) -> str:
        """Return the last value of a key, empty where it is not set."""
        return next((each.value for each in reversed(self.of(section)) if each.key.lower() == key), "")

    def is_on(self, section: str, key: str, *, default: bool) -> bool:
        """Tell whether a switch is on, as Asterisk reads it."""
        value = self.value(section, key).lower()
        return value not in _NO if default else value in _YES


def read_conf(etc: Path, name: str) -> AsteriskConf:
    """Read a file of Asterisk's configuration directory.

    :raises ConsentError: the file, or one that it includes, cannot be read.
    """
    sections: list[str] = []
    settings: list[Setting] = []
    for line in _lines(etc, etc / name, depth=0):
        heading = _SECTION.match(line)
        if heading:
            sections.append(heading[1].strip())
            continue
        key, separator, value = line.partition("=")
        if separator and sections:
            settings.append(
                Setting(section=sections[-1], key=key.strip(), value=value.removeprefix(">").strip())
            )
    return AsteriskConf(sections=tuple(sections), settings=tuple(settings))


def _lines(etc: Path, file: Path, *, depth: int) -> Iterator[str]:
    for raw in _BLOCK_COMMENT.sub("", _text(file)).splitlines():
        line = _COMMENT.sub("", raw).strip()
        include = _INCLUDE.match(line)
        if include is None:
            yield line
        elif depth < _DEEPEST:
            for path in _included(etc, include[1].strip()):
                yield from _lines(etc, path, depth=depth + 1)


def _included(etc: Path, pattern: str) -> list[Path]:
    """Return the files of an ``#include``, which may be a pattern and is relative to Asterisk's directory."""
    start = Path("/") if pattern.startswith("/") else etc
    try:
        return sorted(start.glob(pattern.lstrip("/")))
    except (OSError, ValueError, NotImplementedError, IndexError) as problem:
        raise ConsentError(f"an #include cannot be followed: {problem}", where=str(etc)) from problem


def _text(file: Path) -> str:
    try:
        if not is_there(file) or not file.is_file():
            return ""
        with file.open("rb") as opened:
            return opened.read(_LARGEST_BYTES).decode("utf-8", "replace")
    except OSError as problem:
        raise ConsentError(f"cannot be read: {problem.strerror}", where=str(file)) from problem
