"""Finds what is wrong with the words of an announcement before a caller hears them; pure.

Which duties to inform a text has is the policy's to say (GDPR art. 13, 21(4)); here it is checked that every one
has its sentence, that the sentence says what it is there for, that the digits spoken are the policy's, and that
nothing asks for an agreement before the information has been played (art. 4(11), 7(2)).

Rule: every problem is found at once, and each says what is wrong, where, and what to write instead. What the
rules know of a language is in ``wording.toml``; whether a sentence is true or well said, no rule can tell: that
is a reviewer's work (:func:`is_reviewed`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asterisk_consent.errors import ConfigError
from asterisk_consent.prompts.text import DUTIES, PARTS, PLACE, AnnouncementText, canonical
from asterisk_consent.prompts.wording import Meaning, Wording, pattern, wording_of

RULES: Mapping[str, str] = {
    "language": "the language of the text is known here",
    "missing": "every required sentence is there",
    "place": "a sentence has the place that belongs to it",
    "meaning": "a sentence has a word of what it is there to say",
    "digit": "no digit is spoken that the policy does not have",
    "written_digit": "a digit is never written out: its place speaks the one of the policy",
    "vague": "nothing leaves open whether the call is recorded",
    "early_agreement": "nothing asks for an agreement before the information has been played",
}
"""What is checked, by the name of the rule."""

PLACE_OF_DUTY: Mapping[str, str] = {
    "controller": "controller",
    "purposes": "purposes",
    "storage": "storage_time",
    "address": "address",
    "agree": "agree_digit",
    "refuse": "refuse_digit",
    "object": "refuse_digit",
    "repeat": "repeat_digit",
    "choose": "language_digit",
}
"""The place without which a sentence does not fulfil its duty."""

_ASKING_PARTS = ("menu", "question")
_UNREVIEWED = "unreviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProblem:
    """One thing wrong with a text, for whoever answers for its wording."""

    rule: str
    place: str
    """File, part and sentence: ``nl/p1.toml: question.refuse``."""
    what: str
    instead: str
    """What to write instead."""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}. {self.instead}"


def lint_text(
    text: AnnouncementText,
    *,
    duties: Mapping[str, Mapping[str, str]],
    spoken_values: Mapping[str, str],
) -> list[TextProblem]:
    """Find every problem of ``text``, in the order of its parts.

    :param duties: which sentences the policy requires, by part, each with the reason: an article, or the policy.
    :param spoken_values: what the places are filled with; empty or absent for a digit that the policy does not have.
    """
    problems: list[TextProblem] = []
    wording: Wording | None = None
    try:
        wording = wording_of(text.language)
    except ConfigError as error:
        unchecked = f"{error.what}; the wording of this text was not checked"
        problems.append(TextProblem(rule="language", place=text.file, what=unchecked, instead=error.remedy))
    for part in PARTS:
        problems += _missing(text, part, duties.get(part, {}))
        if part not in text.parts:
            continue
        problems += _problems_of_places(text, part)
        # The menu sentence of a language may wait for a policy that has a menu.
        if part != "menu" or part in duties:
            problems += _problems_of_digits(text, part, spoken_values)
        if wording is not None:
            problems += _problems_of_meaning(text, part, wording)
            problems += _written_digits(text, part, wording)
            problems += _vague(text, part, wording)
    return problems


def is_reviewed(text: AnnouncementText) -> bool:
    """Tell whether somebody has put a name under the wording."""
    return canonical(text.reviewed_by).casefold() != _UNREVIEWED


def _missing(text: AnnouncementText, part: str, required: Mapping[str, str]) -> Iterator[TextProblem]:
    for duty, reason in required.items():
        if duty in text.parts.get(part, {}):
            continue
        says = DUTIES[part][duty]
        place = f" It has the place {{{PLACE_OF_DUTY[duty]}}}." if duty in PLACE_OF_DUTY else ""
        yield TextProblem(
            rule="missing",
            place=f"{text.file}: {part}.{duty}",
            what=f"nothing says {says} ({reason})",
            instead=f'Write in [{part}] a sentence {duty} = "…" that says {says}.{place}',
        )


def _problems_of_places(text: AnnouncementText, part: str) -> Iterator[TextProblem]:
    for duty, sentence in text.parts[part].items():
        named = set(PLACE.findall(sentence))
        if (place := PLACE_OF_DUTY.get(duty)) and place not in named:
            yield TextProblem(
                rule="place",
                place=f"{text.file}: {part}.{duty}",
                what=f"the sentence is to say {DUTIES[part][duty]}, but lacks {{{place}}}",
                instead=f"Write {{{place}}} where it is to be spoken: the policy fills it in",
            )
        if part != "question" and "agree_digit" in named:
            yield TextProblem(
                rule="early_agreement",
                place=f"{text.file}: {part}.{duty}",
                what="an agreement is asked for before the information has been played to its end,"
                " when it cannot count (GDPR art. 4(11))",
                instead='Move it to [question], as the sentence agree = "…"',
            )


def _problems_of_digits(
    text: AnnouncementText, part: str, spoken_values: Mapping[str, str]
) -> Iterator[TextProblem]:
    for duty, sentence in text.parts[part].items():
        named = {place for place in PLACE.findall(sentence) if place.endswith("_digit")}
        if part in _ASKING_PARTS and duty in PLACE_OF_DUTY:
            named.add(PLACE_OF_DUTY[duty])
        for place in sorted(named):
            if not spoken_values.get(place, "").strip():
                meaning = place.removesuffix("_digit")
                yield TextProblem(
                    rule="digit",
                    place=f"{text.file}: {part}.{duty}",
                    what=f"the sentence is for {{{place}}}, but the policy has no digit {meaning}",
                    instead=f"Leave the sentence out, or give the policy a digit {meaning}",
                )


def _problems_of_meaning(text: AnnouncementText, part: str, wording: Wording) -> Iterator[TextProblem]:
    meanings: Mapping[tuple[str, str], Meaning] = {
        ("information", "withdrawal"): wording.withdrawal,
        ("information", "objection"): wording.objection,
        ("information", "recording"): wording.recording,
        ("information", "monitoring"): wording.monitoring,
        ("information", "legal_obligation"): wording.law,
        ("no_refusal", "no_refusal"): wording.law,
    }
    for duty, sentence in text.parts[part].items():
        meaning = meanings.get((part, duty))
        if meaning and not pattern(meaning.said_by).search(canonical(sentence)):
            yield TextProblem(
                rule="meaning",
                place=f"{text.file}: {part}.{duty}",
                what=f"no word of the sentence says {DUTIES[part][duty]}",
                instead=f"Say it in so many words, with a form of {meaning.word!r}",
            )


def _written_digits(text: AnnouncementText, part: str, wording: Wording) -> Iterator[TextProblem]:
    spoken = _Spoken(text, part)
    verb = rf"\b(?:{'|'.join(wording.digit_verbs)})\s+(?:\w+\s+){{0,2}}"
    before = verb
    if part in _ASKING_PARTS:  # what follows a comma or "or" is a digit where digits are asked for
        before = rf"{verb}|^|[,.;:!?]\s+|\b(?:{'|'.join(wording.before_digit)})\s+"
    after = rf"(?=\s*(?:[,.;:!?]|$)|\s+(?:{'|'.join(wording.after_digit)})\b)"
    words = "|".join((*wording.numbers, re.escape(wording.star), re.escape(wording.hash), r"\d+"))
    found = {
        match.start("digit"): match["digit"]
        for match in re.finditer(
            rf"(?:{before})(?P<digit>(?:{words})\b|[*#]){after}", spoken.text, re.IGNORECASE
        )
    }
    if part in _ASKING_PARTS:
        found |= {match.start(): match[0] for match in re.finditer(r"\d+|[*#]", spoken.text)}
    for at, written in sorted(found.items()):
        duty = spoken.duty_at(at)
        place = PLACE_OF_DUTY.get(duty, "")
        named = (
            f"{{{place}}}" if place.endswith("_digit") else "the place of that digit, such as {refuse_digit}"
        )
        yield TextProblem(
            rule="written_digit",
            place=f"{text.file}: {part}.{duty}",
            what=f"the digit {written!r} is written out, whatever digit the policy has",
            instead=f"Write {named} instead of {written!r}",
        )


def _vague(text: AnnouncementText, part: str, wording: Wording) -> Iterator[TextProblem]:
    spoken = _Spoken(text, part)
    for match in pattern(wording.vague).finditer(spoken.text):
        duty = spoken.duty_at(match.start())
        if duty == "agree":  # it asks for the permission, and is not telling what happens
            continue
        yield TextProblem(
            rule="vague",
            place=f"{text.file}: {part}.{duty}",
            what=f"{match[0]!r} leaves open whether this call is recorded",
            instead="Say that the call is recorded, or that the controller wants to record it and asks",
        )


class _Spoken:
    """A part as it is spoken, places unfilled; knows of each character which sentence it is in."""

    def __init__(self, text: AnnouncementText, part: str) -> None:
        self.text = ""
        self._ends: list[tuple[int, str]] = []
        for duty, sentence in text.parts[part].items():
            self.text += canonical(sentence) + " "
            self._ends.append((len(self.text), duty))
        self.text = self.text.rstrip()

    def duty_at(self, index: int) -> str:
        """Name the sentence that the character at ``index`` belongs to."""
        return next(duty for end, duty in self._ends if index < end)
