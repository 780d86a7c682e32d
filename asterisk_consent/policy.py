"""A policy file becomes a frozen ``Policy``; pure.

A policy says who the controller is, on what basis which purposes are recorded, what is asked in which language,
and how the caller answers. This version knows the opt-in mode (GDPR art. 6(1)(a)): every other is refused, never
guessed.
"""

import re
from dataclasses import dataclass

from asterisk_consent.tables import Problems, Table, parse_toml

MAX_FIRST_DIGIT_S = 7.0
"""A caller who is held by a service that stopped answering waits for at most the announcement and ten seconds."""

_DIGITS = "0123456789*#"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a recording may be used for, and for how many days it is kept."""

    name: str
    keep_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of one policy; durations in seconds."""

    id: str
    version: int
    controller: str
    controller_name: str
    language: str
    announcement: str
    agree_digit: str
    refuse_digit: str
    repeat_digit: str
    attempts: int
    repeats: int
    first_digit_s: float
    overall_s: float
    purposes: tuple[Purpose, ...]
    places: tuple[tuple[str, str], ...]
    """What the named places of the announcement are filled with, besides controller and digits."""


def parse_policy(text: str, *, file: str) -> Policy:
    """Read a policy file.

    :raises ConfigError: with every problem found, one a line.
    """
    problems = Problems(file)
    table = parse_toml(text, problems)
    policy = _read(table)
    table.end()
    problems.raise_any()
    return policy


def _read(table: Table) -> Policy:
    identity = table.text("id")
    if identity and not _NAME.fullmatch(identity):
        table.note(
            "id",
            "begins with a letter or digit and holds these, '-', '_' and '.' only: the dialplan names it",
        )
    if table.text("mode") not in ("", "opt-in"):
        table.note("mode", "must be 'opt-in'; no other mode is known to this version")
    if table.text("basis") not in ("", "consent"):
        table.note("basis", "must be 'consent' with mode 'opt-in' (GDPR art. 6(1)(a))")
    language = table.text("language")
    if language and not _LANGUAGE.fullmatch(language):
        table.note("language", f"is {language!r}; write a language tag such as 'nl' or 'nl-BE'")
    controller = table.section("controller")
    digits = table.section("digits")
    timing = table.section("timing")
    places = table.section("announcement")
    policy = Policy(
        id=identity,
        version=table.whole("version", low=1, high=1_000_000),
        controller=controller.text("id"),
        controller_name=controller.text("name"),
        language=language,
        announcement=places.text("text"),
        agree_digit=_digit(digits, "agree"),
        refuse_digit=_digit(digits, "refuse"),
        repeat_digit=_digit(digits, "repeat"),
        attempts=timing.whole("attempts", 2, low=1, high=5),
        repeats=timing.whole("repeats", 2, low=0, high=5),
        first_digit_s=timing.number("first_digit_s", 5.0, low=1.0, high=MAX_FIRST_DIGIT_S),
        overall_s=timing.number("overall_s", 90.0, low=5.0, high=300.0),
        purposes=tuple(_purpose(section) for section in table.sections("purposes")),
        places=tuple((name, places.text(name)) for name in ("purposes", "storage_time", "address")),
    )
    chosen = [digit for digit in (policy.agree_digit, policy.refuse_digit, policy.repeat_digit) if digit]
    if len(set(chosen)) < len(chosen):
        digits.note("", "two of them are the same digit; give each meaning a digit of its own")
    for section in (controller, digits, timing, places):
        section.end()
    return policy


def _digit(table: Table, key: str) -> str:
    digit = table.text(key)
    if digit and (len(digit) != 1 or digit not in _DIGITS):
        table.note(key, f"is {digit!r}; write one of {_DIGITS} in quotes")
    return digit


def _purpose(table: Table) -> Purpose:
    purpose = Purpose(name=table.text("name"), keep_days=table.whole("keep_days", low=1, high=36_500))
    table.end()
    return purpose
