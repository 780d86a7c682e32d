"""Owns the texts of announcements: reading ``sounds/<language>/<name>.toml`` and filling their named places.

Rule: a text is filled completely or not at all, and every problem is reported at once; what is announced must
be what the policy says (GDPR art. 13).
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import ConfigError

PARTS = ("information", "question")
"""The parts of every announcement, in the order in which they are played."""

PLACES = frozenset(
    {"controller", "purposes", "storage_time", "address", "agree_digit", "refuse_digit", "repeat_digit"}
)
"""What a text may name between braces."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_DIGIT = re.compile(r"[0-9*#]")
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementText:
    """An announcement as it was written, places not yet filled."""

    language: str
    name: str
    information: str
    question: str
    reviewed_by: str
    """Who has reviewed the wording; ``unreviewed`` where nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledText:
    """What is spoken, in canonical form: Unicode NFC, every run of white space one space."""

    information: str
    question: str


def load_text(path: Path) -> AnnouncementText:
    """Read the text at ``<language>/<name>.toml``.

    :raises ConfigError: with every problem of the file.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the announcement text cannot be read: {error}", where=str(path)) from error
    return parse_text(source, language=path.parent.name, name=path.stem)


def parse_text(source: str, *, language: str, name: str) -> AnnouncementText:
    """Make an announcement of the TOML in ``source``.

    :raises ConfigError: with every problem found, one a line.
    """
    where = f"{language}/{name}.toml"
    try:
        fields = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=where) from error
    expected = (*PARTS, "reviewed_by")
    problems = [f"no {field}" for field in expected if field not in fields]
    problems += [f"unknown field {field}" for field in fields if field not in expected]
    problems += [
        f"{field} must be a text that is not empty"
        for field in expected
        if field in fields and not (isinstance(fields[field], str) and fields[field].strip())
    ]
    if not problems:
        problems = [problem for part in PARTS for problem in _problems_of_part(part, fields[part])]
    if problems:
        raise ConfigError("\n".join(problems), where=where)
    return AnnouncementText(language=language, name=name, **{field: fields[field] for field in expected})


def fill_text(text: AnnouncementText, values: Mapping[str, str]) -> FilledText:
    """Put ``values`` into the places of ``text``; values that the text does not name are ignored.

    :raises ConfigError: naming every place without a usable value.
    """
    named = sorted({place for part in PARTS for place in _PLACE.findall(getattr(text, part))})
    problems = [problem for place in named if (problem := _problem_of_value(place, values.get(place)))]
    if problems:
        raise ConfigError("\n".join(problems), where=f"{text.language}/{text.name}.toml")
    return FilledText(
        **{part: canonical(_PLACE.sub(lambda m: values[m[1]], getattr(text, part))) for part in PARTS}
    )


def canonical(spoken: str) -> str:
    """Give the one form of ``spoken`` that digests are taken over."""
    return " ".join(unicodedata.normalize("NFC", spoken).split())


def _problems_of_part(part: str, written: str) -> list[str]:
    unknown = sorted({place for place in _PLACE.findall(written) if place not in PLACES})
    problems = [f"{part} names the unknown place {{{place}}}" for place in unknown]
    if re.search(r"[{}]", _PLACE.sub("", written)):
        problems.append(f"{part} has a brace that is not part of a place")
    return problems


def _problem_of_value(place: str, value: str | None) -> str | None:
    if value is None or not value.strip():
        return f"no value for {{{place}}}"
    if _UNSPEAKABLE.search(value):
        return f"the value for {{{place}}} holds characters that cannot be spoken"
    if place.endswith("_digit") and not _DIGIT.fullmatch(value):
        return f"the value for {{{place}}} is {value!r}, not one of 0-9, * and #"
    return None
