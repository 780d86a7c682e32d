"""What a check finds, as a value that a person can read and a program can sort.

Rule: a finding says what, where, and what to do. Texts that come from elsewhere lose what may be a telephone number.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from asterisk_consent.errors import ConfigError, ConsentError

_MAY_BE_A_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,15}(?![0-9A-Za-z])")
"""E.164 has up to 15 digits; with fewer than seven it is an extension, a port or a line of a file."""
_PLACE = re.compile(r"(?P<where>[^:]+\.toml(?::\d+)?): (?P<what>.+)")
"""How a line of a ``ConfigError`` begins that is about several files."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """Somebody should know; nothing that was promised is broken by it."""
    ERROR = "error"
    """Something that was promised does not hold, or calls are not asked because of it."""
    UNKNOWN = "unknown"
    """It could not be looked at, with these rights or from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding; ``where`` is empty where ``what`` says it, ``remedy`` where there is nothing to do."""

    level: Level
    what: str
    where: str = ""
    remedy: str = ""


def ok(what: str, where: object = "") -> Finding:
    """Say that something is as it should be."""
    return Finding(level=Level.OK, what=what, where=str(where))


def warn(what: str, where: object, remedy: str) -> Finding:
    """Say what somebody should know."""
    return Finding(level=Level.WARN, what=what, where=str(where), remedy=remedy)


def error(what: str, where: object, remedy: str) -> Finding:
    """Say what is wrong."""
    return Finding(level=Level.ERROR, what=what, where=str(where), remedy=remedy)


def unknown(what: str, where: object, remedy: str) -> Finding:
    """Say what could not be looked at."""
    return Finding(level=Level.UNKNOWN, what=what, where=str(where), remedy=remedy)


def of_error(problem: ConsentError, level: Level = Level.ERROR) -> list[Finding]:
    """Make findings of one of the product's own errors, one a line of it.

    What the system refused to these rights is not known rather than wrong.
    """
    if isinstance(problem.__cause__, PermissionError):
        remedy = "Run doctor as root to have it looked at"
        return [Finding(level=Level.UNKNOWN, what=masked(problem.what), where=problem.where, remedy=remedy)]
    remedy = masked(problem.remedy) or (
        "Correct it there" if isinstance(problem, ConfigError) else "Look at it"
    )
    found = []
    for line in problem.what.splitlines():
        place = None if problem.where else _PLACE.fullmatch(line)
        where, what = (place["where"], place["what"]) if place else (problem.where, line)
        found.append(Finding(level=level, what=masked(what), where=where, remedy=remedy))
    return found


def masked(text: str) -> str:
    """Return a text without what may be a telephone number."""
    return _MAY_BE_A_NUMBER.sub("…", text)


def spell_age(seconds: float) -> str:
    """Say how long ago something was, in the largest unit that fits."""
    for unit, length_s in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length_s:
            return counted(int(seconds // length_s), unit)
    return counted(max(0, int(seconds)), "second")


def counted(number: int, what: str) -> str:
    """Say how many there are of something."""
    return f"{number} {what}{'' if number == 1 else 's'}"
