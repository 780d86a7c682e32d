"""Reading TOML: every problem at once, each with what, where and what to write instead."""

import math

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.tables import Problems, Table, parse_toml


@pytest.fixture
def problems() -> Problems:
    return Problems("made-up.toml")


def table(text: str, problems: Problems) -> Table:
    return parse_toml(text, problems)


def test_values_of_the_right_type_are_returned_and_nothing_is_noted(problems: Problems) -> None:
    given = table('name = "a"\nshare = 0.5\ncount = 3\n[inner]\nkey = "b"\n[[parts]]\nkey = "c"\n', problems)

    assert given.text("name") == "a"
    assert given.number("share", low=0, high=1) == 0.5
    assert given.whole("count", low=0, high=9) == 3
    assert given.section("inner").text("key") == "b"
    assert [part.text("key") for part in given.sections("parts")] == ["c"]
    given.end()
    problems.raise_any()


def test_what_is_missing_falls_back_to_its_default(problems: Problems) -> None:
    empty = table("", problems)

    assert empty.text("name", "a") == "a"
    assert empty.text("name", "") == ""
    assert empty.number("share", 0.5, low=0, high=1) == 0.5
    assert empty.whole("count", 3, low=0, high=9) == 3
    problems.raise_any()


def test_what_must_be_there_and_is_missing_is_noted_and_gets_a_harmless_value(problems: Problems) -> None:
    empty = table("", problems)

    assert empty.text("name") == ""
    assert empty.number("share", low=2, high=3) == 2
    assert empty.whole("count", low=4, high=9) == 4
    assert empty.section("inner").text("key") == ""
    assert empty.sections("parts") == []
    assert problems.found == [
        "made-up.toml: name: is missing; write a text in quotes",
        "made-up.toml: share: is missing; write a number",
        "made-up.toml: count: is missing; write a number",
        "made-up.toml: inner.key: is missing; write a text in quotes",
        "made-up.toml: parts: is missing; write at least one section [[parts]]",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 1", "name: is 1; write a text in quotes"),
        ('name = ""', "name: is empty; write a text"),
        ("name = true", "name: is True; write a text in quotes"),
        ('share = "a"', "share: is 'a'; write a number"),
        ("share = true", "share: is True; write a number"),
        ("share = 1.5", "share: is 1.5; write a number from 0 to 1"),
        ("share = -1", "share: is -1; write a number from 0 to 1"),
        ("share = nan", "share: is nan; write a number from 0 to 1"),
        ("share = inf", "share: is inf; write a number from 0 to 1"),
        ("count = 1.5", "count: is 1.5; write a whole number"),
        ("inner = 1", "inner: is 1; write a section [inner]"),
        ("inner.key = 1", "inner.key: is 1; write a text in quotes"),
        ("parts = 1", "parts: is 1; write at least one section [[parts]]"),
        ("parts = []", "parts: is []; write sections [[parts]]"),
        ("parts = [1]", "parts: is [1]; write sections [[parts]]"),
        ("[[parts]]\nkey = 1", "parts[1].key: is 1; write a text in quotes"),
        ('[[parts]]\nkey = "a"\n[[parts]]', "parts[2].key: is missing; write a text in quotes"),
    ],
)
def test_a_wrong_value_is_noted_with_what_where_and_what_to_write(
    text: str, complaint: str, problems: Problems
) -> None:
    given = table(text, problems)

    name = given.text("name", "fine")
    share = given.number("share", 0.5, low=0, high=1)
    count = given.whole("count", 3, low=0, high=9)
    given.section("inner").text("key", "fine")
    if "parts" in text:
        for part in given.sections("parts"):
            part.text("key")

    assert f"made-up.toml: {complaint}" in problems.found
    assert len(problems.found) == 1
    assert isinstance(name, str)
    assert 0 <= share <= 1
    assert not math.isnan(share)
    assert isinstance(count, int)


def test_a_key_that_nobody_asked_for_is_noted_with_those_that_are_known(problems: Problems) -> None:
    given = table("nmae = 1\n", problems)

    given.text("name", "a")
    given.number("share", 0.5, low=0, high=1)
    given.end()

    assert problems.found == ["made-up.toml: nmae: is not known here; known are: name, share"]


def test_all_problems_are_raised_in_one_error_one_a_line(problems: Problems) -> None:
    given = table("count = 99\n", problems)
    given.text("name")
    given.whole("count", low=0, high=9)

    with pytest.raises(ConfigError) as raised:
        problems.raise_any()
    assert str(raised.value).splitlines() == [
        "made-up.toml: name: is missing; write a text in quotes",
        "made-up.toml: count: is 99; write a number from 0 to 9",
    ]


def test_what_is_not_toml_is_one_problem_with_its_place(problems: Problems) -> None:
    with pytest.raises(ConfigError, match=r"^made-up\.toml: not TOML: .*line 1"):
        table("name = \n", problems)


def test_a_problem_of_a_whole_section_names_the_section(problems: Problems) -> None:
    table("[inner]\n", problems).section("inner").note("", "is not enough")

    assert problems.found == ["made-up.toml: inner: is not enough"]
