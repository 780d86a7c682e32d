"""Owns what is known of each language an announcement can be spoken in; the data is in ``wording.toml`` beside it.

Rule: a language that is not there is refused with what to add, never spoken or checked by the rules of another.
A regional tag (``nl-BE``) has the table of its language unless it has one of its own.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec

from asterisk_consent.errors import ConfigError

DATA = "wording.toml"

_GAP = r" (?:[^.!?;]{0,80}? )?"
"""What `` … `` stands for in a pattern: nothing, or words of the same sentence."""


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a length of time is spoken: one of its unit, and many, with ``{amount}``."""

    one: str
    many: str


class Meaning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a sentence must say: a word to suggest, and the wordings that say it."""

    word: str
    said_by: tuple[str, ...]


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one language. ``wording.toml`` says what each field is."""

    name: str
    voice: str
    conjunction: str
    star: str
    hash: str
    day: Term
    month: Term
    year: Term
    withdrawal: Meaning
    objection: Meaning
    recording: Meaning
    monitoring: Meaning
    law: Meaning
    vague: tuple[str, ...]
    digit_verbs: tuple[str, ...]
    before_digit: tuple[str, ...]
    after_digit: tuple[str, ...]
    numbers: tuple[str, ...]


def wording_of(language: str) -> Wording:
    """Give what is known of ``language``, a tag such as ``nl`` or ``nl-BE``.

    :raises ConfigError: where nothing is known of it.
    """
    known = _all_wordings()
    if tag := known_tag(language, known):
        return known[tag]
    raise ConfigError(
        f"nothing is known of the language {language!r}; known are: {', '.join(known)}",
        remedy=f"Add a table [{language}] to asterisk_consent/prompts/{DATA}: {', '.join(Wording.__struct_fields__)}",
    )


def known_tag(language: str, known: Collection[str]) -> str:
    """Give the tag of ``known`` that ``language`` goes by: its own, else that of its language, else none."""
    return next((tag for tag in (language, re.split("[-_]", language)[0]) if tag in known), "")


def known_languages() -> tuple[str, ...]:
    """Name every language that has a table."""
    return tuple(_all_wordings())


def spoken_digit(digit: str, language: str) -> str:
    """Say a digit of the telephone: ``*`` and ``#`` by their names, 0-9 as they are.

    :raises ConfigError: where ``digit`` is none, or the language's name for it is not known.
    """
    if re.fullmatch(r"[0-9]", digit):
        return digit
    if digit not in ("*", "#"):
        raise ConfigError(f"{digit!r} is not one of 0-9, * and #")
    wording = wording_of(language)
    return wording.star if digit == "*" else wording.hash


def spoken_term(amount: int, unit: str, language: str) -> str:
    """Say a length of time: ``90 dagen``. The unit is ``day``, ``month`` or ``year``.

    :raises ConfigError: where the unit or the language is not known, or the amount is not at least one.
    """
    wording = wording_of(language)
    terms = {"day": wording.day, "month": wording.month, "year": wording.year}
    if unit not in terms:
        raise ConfigError(f"{unit!r} is not a unit of time here; known are: {', '.join(terms)}")
    if amount < 1:
        raise ConfigError(f"a term of {amount} cannot be spoken; the least is 1")
    term = terms[unit]
    return term.one if amount == 1 else term.many.replace("{amount}", str(amount))


def spoken_list(phrases: Sequence[str], language: str) -> str:
    """Say several phrases as one: ``a, b en c``; empty where there are none.

    :raises ConfigError: where the language is not known.
    """
    conjunction = wording_of(language).conjunction
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} {conjunction} {phrases[-1]}"


@cache
def pattern(wordings: tuple[str, ...]) -> re.Pattern[str]:
    """Compile wordings of ``wording.toml`` into one pattern that finds any of them, in small or capital letters."""
    anyone = "|".join(wording.replace(" … ", _GAP) for wording in wordings)
    return re.compile(rf"\b(?:{anyone})", re.IGNORECASE)


@cache
def _all_wordings() -> Mapping[str, Wording]:
    source = resources.files("asterisk_consent.prompts").joinpath(DATA).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(source), type=dict[str, Wording])
