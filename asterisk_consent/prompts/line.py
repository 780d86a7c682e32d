"""What the withdrawal line of a controller says, and the digits that are read out: words, places, directories.

Rule: a line speaks every language in which one of the controller's policies is announced, and a digit that chooses a
language is the place it has among them. Nothing of it is approved: no decision rests on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.policy import ChosenBy, Policy
from asterisk_consent.prompts.form import PAUSE, WITHDRAWAL_LINE
from asterisk_consent.prompts.text import AnnouncementText, fill_text, load_text
from asterisk_consent.prompts.wording import spoken_digit, wording_of

TEXT = "withdrawal"
"""The name of its text, ``sounds/<language>/withdrawal.toml``."""
LINES = "_withdrawal"
READ_OUT = "_digits"
"""Directories beside those of the policies, whose ids begin with a letter or digit."""

CONFIRM_DIGIT, DECLINE_DIGIT, END_DIGIT, AGAIN_DIGIT = "1", "2", "#", "*"
MOST_LANGUAGES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWords:
    """What a controller's line is made of.

    :param controller: its id.
    :param names: by language, the controller's name as it is spoken; its keys are the languages, in their order.
    :param addresses: by language, where to read more, as it is spoken.
    """

    controller: str
    names: Mapping[str, str]
    addresses: Mapping[str, str]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the line, in the order they are named."""
        return tuple(self.names)

    @property
    def menu(self) -> tuple[tuple[str, str], ...]:
        """Digit and language; empty where there is nothing to choose."""
        if len(self.names) < 2:
            return ()
        return tuple((str(place), language) for place, language in enumerate(self.names, start=1))


def lines_of(policies: Iterable[Policy]) -> dict[str, LineWords]:
    """Return the line of each controller that announces anything, by its id."""
    lines: dict[str, LineWords] = {}
    for policy in sorted(policies, key=lambda policy: policy.id):
        controller = policy.controller
        line = lines.get(controller.id) or LineWords(controller=controller.id, names={}, addresses={})
        names, addresses = dict(line.names), dict(line.addresses)
        for language in _in_order(policy):
            if len(names) < MOST_LANGUAGES:
                names.setdefault(language, policy.spoken_names.get(language, controller.name))
                addresses.setdefault(language, policy.addresses[language])
        if names:
            lines[controller.id] = LineWords(controller=controller.id, names=names, addresses=addresses)
    return lines


def spoken_line(line: LineWords, language: str, texts: Path) -> tuple[AnnouncementText, dict[str, str]]:
    """Return the text of the line in a language, and each part as it is spoken.

    :raises ConfigError: it cannot be read, or not be filled in.
    """
    text = load_text(texts / language / f"{TEXT}.toml", WITHDRAWAL_LINE)
    digits = {
        "language_digit": next((digit for digit, tag in line.menu if tag == language), ""),
        "confirm_digit": CONFIRM_DIGIT,
        "decline_digit": DECLINE_DIGIT,
        "end_digit": END_DIGIT,
        "again_digit": AGAIN_DIGIT,
    }
    values = {
        "controller": line.names[language],
        "address": line.addresses[language],
        **{place: spoken_digit(digit, language) if digit else "" for place, digit in digits.items()},
    }
    parts = [part for part in text.parts if part != "menu" or line.menu]
    return text, fill_text(text, values, parts)


def spoken_digits_of(language: str) -> dict[str, str]:
    """Return the word of each digit, by the part it is; the pause is said by nothing.

    :raises ConfigError: where the language is not known.
    """
    words = (alternatives.split("|")[0] for alternatives in wording_of(language).numbers)
    return {**{str(digit): f"{word}." for digit, word in enumerate(words)}, PAUSE: ""}


def line_directory(prompts: Path | str, controller: str) -> str:
    """Name the directory of what a controller's line says."""
    return f"{prompts}/{LINES}/{controller}"


def digits_directory(prompts: Path | str) -> str:
    """Name the directory of the digits that are read out."""
    return f"{prompts}/{READ_OUT}"


def parts_of_line(line: LineWords) -> frozenset[str]:
    """Name what the line needs to have been made of it."""
    return WITHDRAWAL_LINE.needed | ({"menu"} if line.menu else frozenset())


def _in_order(policy: Policy) -> tuple[str, ...]:
    """Return the languages of a policy, as its own menu names them where it has one."""
    if policy.language.chosen_by is not ChosenBy.MENU:
        return policy.languages
    named = [language for _, language in policy.language.menu if language in policy.languages]
    return tuple(dict.fromkeys([*named, *policy.languages]))
