"""The withdrawal line: which languages it has, and that the shipped texts say all that it needs and nothing more."""

import pytest

from asterisk_consent.policy import Policy, parse_policy
from asterisk_consent.prompts.form import WITHDRAWAL_LINE
from asterisk_consent.prompts.line import lines_of, spoken_digits_of, spoken_line
from asterisk_consent.prompts.text import load_text
from asterisk_consent.prompts.wording import known_languages
from tests.policy.shipped import FILES, changed, shipped
from tests.prompts.announcement import SOUNDS

BEFORE_THE_CONFIRMATION = ("greeting", "ask_last", "ask_whole", "unclear", "confirm")


def policies() -> list[Policy]:
    return [parse_policy(file.read_text(encoding="utf-8"), file=file.name) for file in FILES]


def test_a_line_has_the_languages_of_its_controller_and_their_menu() -> None:
    lines = lines_of(policies())

    assert lines["voorbeeld"].menu == (("1", "nl"), ("2", "en"))
    assert lines["eksempel"].menu == ()
    assert [language for _, language in lines["voorbeeld-groep"].menu] == ["nl", "fr", "en", "de"]


def test_a_policy_that_is_off_adds_no_language_and_no_line() -> None:
    (off,) = [policy for policy in policies() if policy.id == "p4-plain"]

    assert lines_of([off]) == {}


def test_two_policies_of_one_controller_have_one_line() -> None:
    other = changed(shipped("p2-nb"), 'id = "eksempel"', 'id = "voorbeeld"')
    both = [policy for policy in policies() if policy.id == "p1-nl"] + [
        parse_policy(other, file="p2-nb.toml")
    ]

    assert lines_of(both)["voorbeeld"].languages == ("nl", "en", "nb")


@pytest.mark.parametrize("language", known_languages())
def test_every_language_has_a_text_of_the_line_and_words_for_the_digits(language: str) -> None:
    text = load_text(SOUNDS / language / "withdrawal.toml", WITHDRAWAL_LINE)

    assert text.reviewed_by == "unreviewed"
    assert set(text.parts) == set(WITHDRAWAL_LINE.parts)
    assert all(set(text.parts[part]) == set(duties) for part, duties in WITHDRAWAL_LINE.duties.items())
    words = list(spoken_digits_of(language).values())
    assert len(set(words)) == 11
    assert not any("|" in word for word in words)


@pytest.mark.parametrize("language", known_languages())
def test_no_sentence_before_the_confirmation_tells_of_a_number_or_of_others(language: str) -> None:
    text = load_text(SOUNDS / language / "withdrawal.toml", WITHDRAWAL_LINE)
    sentences = " ".join(" ".join(text.parts[part].values()) for part in BEFORE_THE_CONFIRMATION)

    assert "{number}" not in sentences
    assert not any(digit in sentences for digit in "0123456789")


def test_a_line_is_spoken_with_its_digits_and_names() -> None:
    line = lines_of(policies())["voorbeeld"]

    _, spoken = spoken_line(line, "en", SOUNDS)

    assert spoken["greeting"].startswith("You have reached Voorbeeld BV.")
    assert "Press 1 to do so, or 2 to leave" in spoken["confirm"]
    assert "end with hash. Press star to start over." in spoken["ask_last"]
