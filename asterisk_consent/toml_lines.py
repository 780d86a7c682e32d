"""Finds at which line of a TOML text each key stands; pure.

``tomllib`` gives values without their lines. This reads the same text a second time, for the places of its keys
only: what a value is, and whether the text is TOML at all, is for ``tomllib`` to say (TOML 1.0, sections "Keys",
"Table", "Inline Table" and "Array of Tables").

A place is written as in a problem: ``digits.agree``, ``purposes[2].keep_days``; items are counted from 1. A key
that TOML would not let stand bare is quoted, so that no two keys share a place and no place breaks a line.
"""

import json
import re
import tomllib

_WORD = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<word>
          \"{3} (?: [^\\] | \\. )*? \"{3,5}
        | '{3} .*? '{3,5}
        | " (?: [^"\\\n] | \\. )* "
        | ' [^'\n]* '
        | [^\s\#"'\[\]{},=.]+
        | [\[\]{},=.\n]
      )
    """,
    re.VERBOSE | re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LAST_STEP = re.compile(r"[.\[][^.\[]*$")
_ENDS_A_VALUE = frozenset(",]}\n")


def key_lines(text: str) -> dict[str, int]:
    """Map every place of a text to its line, counted from 1.

    A section that has no header of its own (``a`` of ``[a.b]``) is at the first line that names it; an array of
    sections is at its first item.

    :param text: what ``tomllib`` reads without an error; of any other the result means nothing.
    """
    return _Reading(text).lines()


def inside(place: str, key: str) -> str:
    """Name the place of a key in the table at another place; the empty place is the whole file."""
    shown = key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{place}.{shown}" if place else shown


def nearest_line(place: str, lines: dict[str, int]) -> int:
    """Return the line of a place, or else that of the nearest one around it; that of the file is 1."""
    while place not in lines:
        around = _LAST_STEP.sub("", place)
        if around == place:
            return 1
        place = around
    return lines[place]


class _Reading:
    """One way through the words and marks of a text."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, int]] = []
        self._next = 0
        self._named: dict[str, int] = {}
        self._implied: dict[str, int] = {}
        self._items: dict[str, int] = {}
        """How many items each array of sections has so far."""
        line, end = 1, 0
        for match in _WORD.finditer(text):
            line += text.count("\n", end, match.start())
            end = match.start()
            if match["word"]:
                self._words.append((match["word"], line))

    def lines(self) -> dict[str, int]:
        section = ""
        while self._next < len(self._words):
            word, line = self._words[self._next]
            if word == "\n":
                self._next += 1
            elif word == "[":
                section = self._header(line)
            else:
                self._assignment(section)
        return self._implied | self._named

    def _header(self, line: int) -> str:
        self._next += 1
        is_item = self._words[self._next][0] == "["
        self._next += is_item
        place = self._descend("", self._key("]"), line)
        self._next += is_item
        self._named.setdefault(place, line)
        if is_item:
            self._items[place] = self._items.get(place, 0) + 1
            place = f"{place}[{self._items[place]}]"
            self._named.setdefault(place, line)
        return place

    def _assignment(self, table: str) -> None:
        line = self._words[self._next][1]
        place = self._descend(table, self._key("="), line)
        self._named.setdefault(place, line)
        self._value(place)

    def _value(self, place: str) -> None:
        word, _ = self._words[self._next]
        if word == "[":
            self._next += 1
            self._array(place)
        elif word == "{":
            self._next += 1
            while self._goes_on("}"):
                self._assignment(place)
        else:
            while self._next < len(self._words) and self._words[self._next][0] not in _ENDS_A_VALUE:
                self._next += 1

    def _array(self, place: str) -> None:
        index = 0
        while self._goes_on("]"):
            index += 1
            item = f"{place}[{index}]"
            self._named.setdefault(item, self._words[self._next][1])
            self._value(item)

    def _goes_on(self, end: str) -> bool:
        """Step to the next thing within brackets; past their end, with False, when there is none."""
        while (word := self._words[self._next][0]) in (",", "\n"):
            self._next += 1
        self._next += word == end
        return word != end

    def _descend(self, place: str, parts: list[str], line: int) -> str:
        """Return the place of a dotted key; what it names on the way is at this line if nowhere else."""
        for part in parts[:-1]:
            place = inside(place, part)
            self._implied.setdefault(place, line)
            if place in self._items:
                place = f"{place}[{self._items[place]}]"
        return inside(place, parts[-1])

    def _key(self, end: str) -> list[str]:
        """Take a key and the mark that ends it."""
        parts = []
        while (word := self._words[self._next][0]) != end:
            if word != ".":
                parts.append(_unquoted(word))
            self._next += 1
        self._next += 1
        return parts


def _unquoted(word: str) -> str:
    return str(tomllib.loads(f"key = {word}")["key"]) if word[0] in "\"'" else word
