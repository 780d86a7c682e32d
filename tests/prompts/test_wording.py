"""What is known of the languages: complete for each of them, and refused for every other."""

import re
from itertools import chain

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.prompts import speech
from asterisk_consent.prompts.wording import (
    Meaning,
    known_languages,
    pattern,
    spoken_digit,
    spoken_list,
    spoken_term,
    wording_of,
)

LANGUAGES = ("nl", "nb", "en", "fr", "de")


def test_the_languages_of_the_shipped_policies_are_known() -> None:
    assert known_languages() == LANGUAGES


@pytest.mark.parametrize(
    ("digit", "language", "spoken"),
    [
        ("*", "nl", "sterretje"),
        ("#", "nl", "hekje"),
        ("#", "nb", "firkant"),
        ("*", "en", "star"),
        ("#", "fr", "dièse"),
        ("#", "de", "Raute"),
        ("7", "nl", "7"),
        ("0", "xx", "0"),
    ],
)
def test_a_digit_is_spoken_as_the_language_calls_it(digit: str, language: str, spoken: str) -> None:
    assert spoken_digit(digit, language) == spoken


@pytest.mark.parametrize("digit", ["", "10", "A", "**", "٣"])
def test_what_is_no_digit_of_a_telephone_is_not_spoken(digit: str) -> None:
    with pytest.raises(ConfigError, match="not one of 0-9"):
        spoken_digit(digit, "nl")


@pytest.mark.parametrize(
    ("amount", "unit", "language", "spoken"),
    [
        (90, "day", "nl", "90 dagen"),
        (1, "month", "nl", "1 maand"),
        (7, "year", "nl", "7 jaar"),
        (1, "month", "nb", "én måned"),
        (30, "day", "nb", "30 dager"),
        (1, "day", "en", "1 day"),
        (3, "month", "fr", "3 mois"),
        (1, "month", "de", "einen Monat"),
        (2, "year", "de", "2 Jahre"),
        (90, "day", "nl-BE", "90 dagen"),
    ],
)
def test_a_term_is_spoken_in_its_unit(amount: int, unit: str, language: str, spoken: str) -> None:
    assert spoken_term(amount, unit, language) == spoken


def test_a_term_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="the least is 1"):
        spoken_term(0, "day", "nl")
    with pytest.raises(ConfigError, match="'week' is not a unit of time here; known are: day, month, year"):
        spoken_term(2, "week", "nl")


@pytest.mark.parametrize(
    ("phrases", "language", "spoken"),
    [
        ([], "nl", ""),
        (["a"], "nl", "a"),
        (["a", "b"], "nb", "a og b"),
        (["a", "b", "c"], "nl", "a, b en c"),
        (["a", "b", "c"], "en", "a, b and c"),
    ],
)
def test_a_list_is_spoken_as_one_phrase(phrases: list[str], language: str, spoken: str) -> None:
    assert spoken_list(phrases, language) == spoken


@pytest.mark.parametrize("language", ["xx", "", "no", "xx-NL"])
def test_a_language_that_is_not_known_is_refused_with_what_to_add(language: str) -> None:
    with pytest.raises(ConfigError) as caught:
        wording_of(language)
    assert "known are: nl, nb, en, fr, de" in caught.value.what
    assert (
        f"Add a table [{language}] to asterisk_consent/prompts/wording.toml: name, voice"
        in caught.value.remedy
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_complete(language: str) -> None:
    wording = wording_of(language)
    lists = [wording.vague, wording.digit_verbs, wording.before_digit, wording.after_digit, wording.numbers]
    assert all(lists)
    assert len(wording.numbers) == 10
    for regular in chain(*lists):
        re.compile(regular)
    for term in (wording.day, wording.month, wording.year):
        assert "{amount}" in term.many


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("duty", ["withdrawal", "objection", "recording", "monitoring", "law"])
def test_the_word_that_is_suggested_for_a_meaning_has_it(language: str, duty: str) -> None:
    meaning = getattr(wording_of(language), duty)
    assert isinstance(meaning, Meaning)
    word = {"ta opp": "ta samtalen opp", "trekke tilbake": "trekke samtykket tilbake"}.get(
        meaning.word, meaning.word
    )
    assert pattern(meaning.said_by).search(word.upper())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_voice(language: str) -> None:
    assert len(speech.speak("a", voice=wording_of(language).voice)) > 0
