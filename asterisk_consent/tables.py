"""Reads TOML tables so that every problem is reported at once, with its place and what to write instead.

Used by ``config`` and ``policy``. A reader never raises on content: it notes the problem, returns a value of the
right type, and ``Problems.raise_any`` ends the reading. A key nobody asked for is a problem too: it is most
likely a misspelt one, and what it meant to switch off would stay on.
"""

import tomllib
from collections.abc import Mapping

from asterisk_consent.errors import ConfigError


class Problems:
    """What is wrong with one file, in the order found."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[str] = []

    def note(self, place: str, what: str) -> None:
        """Add one problem at a key or section of the file."""
        self.found.append(f"{self.file}: {place}: {what}" if place else f"{self.file}: {what}")

    def raise_any(self) -> None:
        """Raise one ``ConfigError`` with all problems, one a line, if there are any."""
        if self.found:
            raise ConfigError("\n".join(self.found))


def parse_toml(text: str, problems: Problems) -> "Table":
    """Parse a whole file; what is not TOML is one problem, and the table is empty then."""
    try:
        return Table(tomllib.loads(text), "", problems)
    except tomllib.TOMLDecodeError as error:
        problems.note("", f"not TOML: {error}")
        raise ConfigError("\n".join(problems.found)) from error


class Table:
    """One table of a file; each getter marks its key as known."""

    def __init__(self, content: Mapping[str, object], place: str, problems: Problems) -> None:
        self._content = content
        self._place = place
        self._problems = problems
        self._known: set[str] = set()

    def note(self, key: str, what: str) -> None:
        """Add a problem with one key of this table."""
        self._problems.note(f"{self._place}.{key}".strip("."), what)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; without a default the key must be there, and the string is empty where it is not."""
        value = self._get(key, default, str, "a text in quotes")
        if value == "" and default != "":
            self.note(key, "is empty; write a text")
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: float | None = None, *, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``."""
        value = self._get(key, default, (int, float), "a number")
        number = float(value) if isinstance(value, int | float) else low
        if not low <= number <= high:
            self.note(key, f"is {number:g}; write a number from {low:g} to {high:g}")
            return low
        return number

    def whole(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """Return a whole number between ``low`` and ``high``."""
        number = self.number(key, default, low=low, high=high)
        if number != int(number):
            self.note(key, f"is {number:g}; write a whole number")
        return int(number)

    def section(self, key: str) -> "Table":
        """Return a table inside this one; an absent one is empty, so that its keys are reported."""
        value = self._get(key, {}, dict, f"a section [{key}]")
        content = value if isinstance(value, dict) else {}
        return Table(content, f"{self._place}.{key}".lstrip("."), self._problems)

    def sections(self, key: str) -> "list[Table]":
        """Return the tables of an array ``[[key]]``, which must have at least one."""
        value = self._get(key, None, list, f"at least one section [[{key}]]")
        items = value if isinstance(value, list) else []
        if value == [] or not all(isinstance(item, dict) for item in items):
            self.note(key, f"is {value!r}; write sections [[{key}]]")
            return []
        place = f"{self._place}.{key}".lstrip(".")
        return [Table(item, f"{place}[{index}]", self._problems) for index, item in enumerate(items, 1)]

    def end(self) -> None:
        """Report every key that no getter asked for."""
        for key in self._content:
            if key not in self._known:
                self.note(key, f"is not known here; known are: {', '.join(sorted(self._known))}")

    def _get(self, key: str, default: object, kind: type | tuple[type, ...], wanted: str) -> object:
        self._known.add(key)
        if key not in self._content:
            if default is None:
                self.note(key, f"is missing; write {wanted}")
            return default
        value = self._content[key]
        if isinstance(value, bool) or not isinstance(value, kind):
            self.note(key, f"is {value!r}; write {wanted}")
            return default
        return value
