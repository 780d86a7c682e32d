"""Texts of announcements: filled completely or refused, with every problem named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import ConfigError
from asterisk_consent.prompts import speech
from asterisk_consent.prompts.level import cut_silence
from asterisk_consent.prompts.text import PARTS, PLACES, canonical, fill_text, load_text, parse_text
from asterisk_consent.prompts.wording import known_languages, wording_of
from tests.prompts.announcement import KINDS, SOUNDS, VALUES, shipped_text, values_for

OPT_IN = ("information", "question")


def toml(information: str = 'controller = "Hallo."', question: str = 'agree = "Ja?"') -> str:
    return f'reviewed_by = "unreviewed"\n[information]\n{information}\n[question]\n{question}\n'


def test_the_filled_text_says_what_the_policy_says() -> None:
    filled = fill_text(shipped_text(), VALUES, OPT_IN)

    for place in ("controller", "purposes", "storage_time", "address"):
        assert VALUES[place] in filled["information"]
    assert filled["question"].startswith("Toets 1 als wij mogen opnemen, 2 als u dat niet wilt")
    assert "{" not in "".join(filled.values())


def test_sentences_are_spoken_in_the_order_written_with_a_space_between() -> None:
    text = parse_text(toml('purposes = "Eerst."\ncontroller = " Dan\\n dit. "'), language="nl", name="t")
    assert fill_text(text, {}, ["information"]) == {"information": "Eerst. Dan dit."}


def test_every_shipped_text_is_of_a_known_kind() -> None:
    files = {f"{path.parent.name}/{path.stem}" for path in SOUNDS.glob("*/*.toml")}
    assert files == set(KINDS) | {f"{language}/withdrawal" for language in known_languages()}


@pytest.mark.parametrize("name", KINDS)
def test_every_shipped_text_says_who_reviewed_it_and_can_be_filled(name: str) -> None:
    text = shipped_text(name)
    assert text.reviewed_by
    assert text.file == f"{name}.toml"
    assert all(fill_text(text, values_for(name), text.parts).values())


@pytest.mark.parametrize("name", KINDS)
def test_no_shipped_text_keeps_the_caller_long(name: str) -> None:
    text = shipped_text(name)
    voice = wording_of(text.language).voice
    lengths_s = {
        part: len(cut_silence(speech.speak(spoken, voice=voice))) / 1000
        for part, spoken in fill_text(text, values_for(name), text.parts).items()
    }
    assert lengths_s["information"] <= 21
    assert max(lengths_s.get(part, 0) for part in ("menu", "question")) <= 8
    assert lengths_s.get("no_refusal", 0) <= 15


def test_only_the_parts_asked_for_need_values() -> None:
    text = shipped_text("nl/p5")
    values = {**values_for("nl/p5"), "language_digit": ""}
    assert list(fill_text(text, values, OPT_IN)) == list(OPT_IN)
    with pytest.raises(ConfigError, match="language_digit"):
        fill_text(text, values, PARTS[:2])


def test_a_part_that_is_not_written_is_a_problem_beside_the_others() -> None:
    with pytest.raises(ConfigError) as caught:
        fill_text(shipped_text(), {**VALUES, "address": ""}, ["information", "no_refusal"])
    assert str(caught.value) == "nl/p1.toml: no part no_refusal is written\nno value for {address}"


def test_every_place_without_a_value_is_reported_at_once() -> None:
    values = {**VALUES, "address": " "}
    del values["controller"]

    with pytest.raises(ConfigError) as caught:
        fill_text(shipped_text(), values, OPT_IN)

    assert "no value for {controller}" in str(caught.value)
    assert "no value for {address}" in str(caught.value)
    assert "{purposes}" not in str(caught.value)


@pytest.mark.parametrize("digit", ["", "12", "A", "één", "1 ", "٣"])
def test_a_digit_that_is_not_on_a_telephone_is_refused(digit: str) -> None:
    with pytest.raises(ConfigError, match="agree_digit"):
        fill_text(shipped_text(), {**VALUES, "agree_digit": digit}, OPT_IN)


def test_star_and_hash_are_spoken_in_the_language_of_the_text() -> None:
    filled = fill_text(shipped_text(), {**VALUES, "agree_digit": "*", "refuse_digit": "hekje"}, OPT_IN)
    assert filled["question"].startswith("Toets sterretje als wij mogen opnemen, hekje als")


def test_a_value_is_never_read_as_a_place_itself() -> None:
    text = parse_text(toml('controller = "{controller}, {purposes}"'), language="nl", name="t")
    filled = fill_text(text, {"controller": "{purposes}", "purposes": "x"}, ["information"])
    assert filled["information"] == "{purposes}, x"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            toml('controller = "{contrller}"'),
            "information.controller names the unknown place {contrller}; known are",
        ),
        (toml('controller = "{controller.__class__}"'), "unknown place"),
        (toml(question='agree = "{agree_digit"'), "question.agree has a brace that is not part of a place"),
        (toml(question='agree = "  "'), "question.agree must be a text that is not empty"),
        (toml(question="agree = 3"), "question.agree must be a text that is not empty"),
        (toml(question='agree = "\\u0007"'), "question.agree holds characters that cannot be spoken"),
        (
            toml(question='aggree = "x"'),
            "unknown sentence question.aggree; known in question are: agree, refuse",
        ),
        (toml(question=""), "question must be a table [question] of sentences; they are: agree"),
        (toml() + "[extra]", "unknown part extra; known are: menu, information, question, no_refusal"),
        ('question.agree = "x"', "no reviewed_by"),
        ('question.agree = "x"', "no part information"),
        ('information = "x"', "information must be a table"),
        ('reviewed_by = " "\ninformation.controller = "x"', "reviewed_by must be a text"),
        ("information = ", "not TOML"),
    ],
)
def test_a_text_with_a_mistake_is_refused_with_its_place(source: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_text(source, language="nl", name="faulty")
    assert problem in str(caught.value)
    assert "nl/faulty.toml" in str(caught.value)


def test_every_mistake_of_a_text_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_text(
            toml('controler = "{x}"', question='agree = "}"') + "[more]\n", language="nl", name="faulty"
        )
    assert len(str(caught.value).splitlines()) == 4


def test_a_text_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load_text(tmp_path / "nl" / "absent.toml")


@given(st.text())
def test_the_canonical_form_is_its_own_canonical_form(spoken: str) -> None:
    assert canonical(canonical(spoken)) == canonical(spoken)


@given(st.fixed_dictionaries({place: st.text() for place in PLACES}))
def test_any_values_fill_the_text_or_are_refused_with_our_own_error(values: dict[str, str]) -> None:
    try:
        filled = fill_text(shipped_text(), values, OPT_IN)
    except ConfigError:
        return
    assert canonical(values["controller"]) in filled["information"]
    filled["information"].encode()
