"""Reads TOML tables so that every problem is reported at once, with its place and what to write instead.

Used by ``config`` and ``policy``. A reader never raises on content: it notes the problem, returns a value of the
right type, and ``Problems.raise_any`` ends the reading. A key nobody asked for is a problem too: it is most
likely a misspelt one, and what it meant to switch off would stay on.
"""

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asterisk_consent.errors import ConfigError
from asterisk_consent.toml_lines import inside, key_lines, nearest_line

_NUMBER_OF_ITEM = re.compile(r"\[\d+\]")
_AT_LINE = re.compile(r"\bat line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a file; ``line`` counts from 1 and is 0 where it is not known."""

    file: str
    line: int
    place: str
    what: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place}: {self.what}" if self.place else f"{where}: {self.what}"


class Problems:
    """What is wrong with one file, in the order found."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []
        self.lines: dict[str, int] | None = None
        """Where each place of the file is; known once ``parse_toml`` has read it."""

    def note(self, place: str, what: str) -> None:
        """Add one problem at a key or section of the file; what is missing is at the section it belongs to."""
        self.found.append(Problem(file=self.file, line=self.line_of(place), place=place, what=what))

    def line_of(self, place: str) -> int:
        """Return the line of a place, or of what is nearest around it; 0 before the file was read."""
        return 0 if self.lines is None else nearest_line(place, self.lines)

    def raise_any(self) -> None:
        """Raise one ``ConfigError`` with all problems, one a line, if there are any."""
        if self.found:
            raise ConfigError("\n".join(map(str, self.found)))


def parse_toml(text: str, problems: Problems) -> "Table":
    """Parse a whole file.

    :raises ConfigError: it is not TOML.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        problems.lines = {"": int(at[1]) if at else text.rstrip().count("\n") + 1}
        problems.note("", f"not TOML: {error}")
        raise ConfigError("\n".join(map(str, problems.found))) from error
    problems.lines = key_lines(text)
    return Table(content, "", problems)


class Table:
    """One table of a file; each getter marks its key as known."""

    def __init__(self, content: Mapping[str, object], place: str, problems: Problems) -> None:
        self._content = content
        self._place = place
        self._problems = problems
        self._known: set[str] = set()

    def note(self, key: str, what: str) -> None:
        """Add a problem with one key of this table."""
        self._problems.note(self._at(key) if key else self._place, what)

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

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """Return true or false; without a default the key must be there."""
        return self._get(key, default, bool, "true or false") is True

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the texts of an array, none of them empty; the array itself may be."""
        value = self._get(key, default, list, "texts in quotes within [ ]")
        if not isinstance(value, list):
            return default or ()
        for index, item in enumerate(value, 1):
            if not isinstance(item, str):
                self._problems.note(f"{self._at(key)}[{index}]", f"is {_shown(item)}; write a text in quotes")
            elif item == "":
                self._problems.note(f"{self._at(key)}[{index}]", "is empty; write a text")
        return tuple(item for item in value if isinstance(item, str) and item)

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        """Return one of the options: where none of them is written the default, or else the first."""
        known = tuple(map(str, options))
        wanted = f"one of {', '.join(map(repr, known))}"
        value = self._get(key, default, str, wanted)
        if value not in known and key in self._content and value == self._content[key]:
            self.note(key, f"is {value!r}; write {wanted}")
            value = default
        return value if isinstance(value, str) else known[0]

    def date(self, key: str, *, needed: bool) -> datetime.date | None:
        """Return a day, without a time of day; ``None`` where there is none."""
        self._known.add(key)
        value = self._content.get(key)
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value
        if key in self._content:
            self.note(key, f"is {_shown(value)}; write a date such as 2026-12-31, without quotes")
        elif needed:
            self.note(key, "is missing; write a date such as 2026-12-31, without quotes")
        return None

    def has(self, key: str) -> bool:
        """Tell whether there is such a key, whatever its value; this does not mark it as known."""
        return key in self._content

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there, for a table whose keys are free; all of them are known then."""
        self._known.update(self._content)
        return tuple(self._content)

    def section(self, key: str) -> "Table":
        """Return a table inside this one; an absent one is empty, so that its keys are reported."""
        value = self._get(key, {}, dict, f"a section [{self._header(key)}]")
        return self._inner(value if isinstance(value, dict) else {}, self._at(key))

    def optional_section(self, key: str) -> "Table | None":
        """Return a table inside this one, or None where there is none."""
        if key not in self._content:
            self._known.add(key)
            return None
        value = self._get(key, None, dict, f"a section [{self._header(key)}]")
        return self._inner(value, self._at(key)) if isinstance(value, dict) else None

    def sections(self, key: str) -> "list[Table]":
        """Return the tables of an array ``[[key]]``, which must have at least one."""
        value = self._get(key, None, list, f"at least one section [[{self._header(key)}]]")
        if value == []:
            self.note(key, f"is []; write sections [[{self._header(key)}]]")
        return self._items(key, value)

    def optional_sections(self, key: str) -> "list[Table]":
        """Return the tables of an array ``[[key]]``, which may be absent or empty."""
        return self._items(key, self._get(key, (), list, f"sections [[{self._header(key)}]]"))

    def unwanted(self, key: str, what: str) -> None:
        """Note a key that is known, but must not be here."""
        if key in self._content:
            self._known.add(key)
            self.note(key, what)

    def end(self) -> None:
        """Report every key that no getter asked for."""
        for key in self._content:
            if key not in self._known:
                self.note(key, f"is not known here; known are: {', '.join(sorted(self._known))}")

    def _items(self, key: str, value: object) -> "list[Table]":
        items = value if isinstance(value, list) else []
        if not all(isinstance(item, dict) for item in items):
            self.note(key, f"is {_shown(value)}; write sections [[{self._header(key)}]]")
            return []
        return [self._inner(item, f"{self._at(key)}[{index}]") for index, item in enumerate(items, 1)]

    def _inner(self, content: Mapping[str, object], place: str) -> "Table":
        return Table(content, place, self._problems)

    def _header(self, key: str) -> str:
        return _NUMBER_OF_ITEM.sub("", self._at(key))

    def _at(self, key: str) -> str:
        return inside(self._place, key)

    def _get(self, key: str, default: object, kind: type | tuple[type, ...], wanted: str) -> object:
        self._known.add(key)
        if key not in self._content:
            if default is None:
                self.note(key, f"is missing; write {wanted}")
            return default
        value = self._content[key]
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            self.note(key, f"is {_shown(value)}; write {wanted}")
            return default
        return value


def _shown(value: object) -> str:
    return str(value) if isinstance(value, datetime.date | datetime.time) else repr(value)
