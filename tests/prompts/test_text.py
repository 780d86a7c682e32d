"""Texts of announcements: filled completely or refused, with every problem named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.errors import ConfigError
from asterisk_consent.prompts.text import PLACES, canonical, fill_text, load_text, parse_text
from tests.prompts.announcement import SOUNDS, VALUES, shipped_text

SHIPPED = sorted(SOUNDS.glob("*/*.toml"))


def toml(information: str = "Hallo.", question: str = "Ja?") -> str:
    return f'information = "{information}"\nquestion = "{question}"\nreviewed_by = "unreviewed"\n'


def test_the_filled_text_says_what_the_policy_says() -> None:
    filled = fill_text(shipped_text(), VALUES)

    for place in ("controller", "purposes", "storage_time", "address"):
        assert VALUES[place] in filled.information
    assert filled.question.startswith("Toets 1 als wij mogen opnemen, 2 als u dat niet wilt")
    assert "{" not in filled.information + filled.question


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_text_says_who_reviewed_it_and_can_be_filled(path: Path) -> None:
    text = load_text(path)
    assert text.reviewed_by
    assert text.language == path.parent.name
    assert fill_text(text, VALUES).information


def test_every_place_without_a_value_is_reported_at_once() -> None:
    values = {**VALUES, "address": " "}
    del values["controller"]

    with pytest.raises(ConfigError) as caught:
        fill_text(shipped_text(), values)

    assert "no value for {controller}" in str(caught.value)
    assert "no value for {address}" in str(caught.value)
    assert "{purposes}" not in str(caught.value)


@pytest.mark.parametrize("digit", ["", "12", "A", "één", "1 "])
def test_a_digit_that_is_not_on_a_telephone_is_refused(digit: str) -> None:
    with pytest.raises(ConfigError, match="agree_digit"):
        fill_text(shipped_text(), {**VALUES, "agree_digit": digit})


def test_a_value_is_never_read_as_a_place_itself() -> None:
    text = parse_text(toml("{controller}, {purposes}"), language="nl", name="t")
    filled = fill_text(text, {"controller": "{purposes}", "purposes": "x"})
    assert filled.information == "{purposes}, x"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (toml("{contrller}"), "information names the unknown place {contrller}"),
        (toml("{controller.__class__}"), "unknown place"),
        (toml(question="{agree_digit"), "question has a brace that is not part of a place"),
        (toml(question="  "), "question must be a text that is not empty"),
        ('information = "x"', "no question\nno reviewed_by"),
        (toml() + "extra = 1", "unknown field extra"),
        ('information = 3\nquestion = "x"\nreviewed_by = "x"', "information must be a text"),
        ("information = ", "not TOML"),
    ],
)
def test_a_text_with_a_mistake_is_refused_with_its_place(source: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_text(source, language="nl", name="faulty")
    assert problem in str(caught.value)
    assert "nl/faulty.toml" in str(caught.value)


def test_a_text_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load_text(tmp_path / "nl" / "absent.toml")


@given(st.text())
def test_the_canonical_form_is_its_own_canonical_form(spoken: str) -> None:
    assert canonical(canonical(spoken)) == canonical(spoken)


@given(st.fixed_dictionaries({place: st.text() for place in PLACES}))
def test_any_values_fill_the_text_or_are_refused_with_our_own_error(values: dict[str, str]) -> None:
    try:
        filled = fill_text(shipped_text(), values)
    except ConfigError:
        return
    assert canonical(values["controller"]) in filled.information
    filled.information.encode()
