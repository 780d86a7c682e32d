"""Reading TOML: every problem at once, each with what, where and what to write instead."""

import datetime
import math

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.tables import Problems, Table, parse_toml


@pytest.fixture
def problems() -> Problems:
    return Problems("made-up.toml")


def table(text: str, problems: Problems) -> Table:
    return parse_toml(text, problems)


def told(problems: Problems) -> list[str]:
    """Return the problems as they are printed."""
    return [str(problem) for problem in problems.found]


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
    assert told(problems) == [
        "made-up.toml:1: name: is missing; write a text in quotes",
        "made-up.toml:1: share: is missing; write a number",
        "made-up.toml:1: count: is missing; write a number",
        "made-up.toml:1: inner.key: is missing; write a text in quotes",
        "made-up.toml:1: parts: is missing; write at least one section [[parts]]",
    ]


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("name = 1", 2, "name: is 1; write a text in quotes"),
        ('name = ""', 2, "name: is empty; write a text"),
        ("name = true", 2, "name: is True; write a text in quotes"),
        ('share = "a"', 2, "share: is 'a'; write a number"),
        ("share = true", 2, "share: is True; write a number"),
        ("share = 1.5", 2, "share: is 1.5; write a number from 0 to 1"),
        ("share = -1", 2, "share: is -1; write a number from 0 to 1"),
        ("share = nan", 2, "share: is nan; write a number from 0 to 1"),
        ("share = inf", 2, "share: is inf; write a number from 0 to 1"),
        ("count = 1.5", 2, "count: is 1.5; write a whole number"),
        ("inner = 1", 2, "inner: is 1; write a section [inner]"),
        ("inner.key = 1", 2, "inner.key: is 1; write a text in quotes"),
        ("parts = 1", 2, "parts: is 1; write at least one section [[parts]]"),
        ("parts = []", 2, "parts: is []; write sections [[parts]]"),
        ("parts = [1]", 2, "parts: is [1]; write sections [[parts]]"),
        ("[[parts]]\nkey = 1", 3, "parts[1].key: is 1; write a text in quotes"),
        ('[[parts]]\nkey = "a"\n[[parts]]', 4, "parts[2].key: is missing; write a text in quotes"),
    ],
)
def test_a_wrong_value_is_noted_with_what_where_and_what_to_write(
    text: str, line: int, complaint: str, problems: Problems
) -> None:
    given = table(f"# one line before\n{text}", problems)

    name = given.text("name", "fine")
    share = given.number("share", 0.5, low=0, high=1)
    count = given.whole("count", 3, low=0, high=9)
    given.section("inner").text("key", "fine")
    if "parts" in text:
        for part in given.sections("parts"):
            part.text("key")

    assert f"made-up.toml:{line}: {complaint}" in told(problems)
    assert len(told(problems)) == 1
    assert isinstance(name, str)
    assert 0 <= share <= 1
    assert not math.isnan(share)
    assert isinstance(count, int)


def test_the_other_kinds_of_value_are_returned(problems: Problems) -> None:
    given = table(
        'on = true\noff = false\nnames = ["a", "b"]\nnone = []\nkind = "b"\nday = 2026-12-31\n'
        '[inner]\nkey = "c"\n[free]\n1 = "d"\n"e f" = "g"\n[[parts]]\nkey = "h"\n',
        problems,
    )

    assert given.boolean("on") is True
    assert given.boolean("off", True) is False
    assert given.texts("names") == ("a", "b")
    assert given.texts("none", ("c",)) == ()
    assert given.choice("kind", ("a", "b")) == "b"
    assert given.date("day", needed=False) == datetime.date(2026, 12, 31)
    inner = given.optional_section("inner")
    assert inner is not None
    assert inner.text("key") == "c"
    free = given.section("free")
    assert free.names() == ("1", "e f")
    assert (free.text("1"), free.text("e f")) == ("d", "g")
    assert [part.text("key") for part in given.optional_sections("parts")] == ["h"]
    for each in (given, inner, free):
        each.end()
    problems.raise_any()


def test_what_may_be_absent_is_no_problem(problems: Problems) -> None:
    empty = table("", problems)

    assert empty.boolean("on", True) is True
    assert empty.boolean("off", False) is False
    assert empty.texts("names", ("a",)) == ("a",)
    assert empty.texts("names", ()) == ()
    assert empty.choice("kind", ("a", "b"), "b") == "b"
    assert empty.choice("kind", ("a", "b"), "") == ""
    assert empty.date("day", needed=False) is None
    assert empty.optional_section("inner") is None
    assert empty.optional_sections("parts") == []
    assert empty.names() == ()
    problems.raise_any()


def test_an_array_of_sections_that_may_be_absent_may_be_empty(problems: Problems) -> None:
    assert table("parts = []", problems).optional_sections("parts") == []
    problems.raise_any()


def test_what_must_be_there_and_is_missing_is_one_problem_of_each_kind(problems: Problems) -> None:
    empty = table("", problems)

    assert empty.boolean("on") is False
    assert empty.texts("names") == ()
    assert empty.choice("kind", ("a", "b")) == "a"
    assert told(problems) == [
        "made-up.toml:1: on: is missing; write true or false",
        "made-up.toml:1: names: is missing; write texts in quotes within [ ]",
        "made-up.toml:1: kind: is missing; write one of 'a', 'b'",
    ]


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("on = 1", 2, "on: is 1; write true or false"),
        ('on = "true"', 2, "on: is 'true'; write true or false"),
        ('names = "a"', 2, "names: is 'a'; write texts in quotes within [ ]"),
        ('names = [\n"a",\n1\n]', 4, "names[2]: is 1; write a text in quotes"),
        ('names = [\n"",\n"a"\n]', 3, "names[1]: is empty; write a text"),
        ('kind = "c"', 2, "kind: is 'c'; write one of 'a', 'b'"),
        ('kind = ""', 2, "kind: is ''; write one of 'a', 'b'"),
        ("kind = 1", 2, "kind: is 1; write one of 'a', 'b'"),
        ('day = "2026-12-31"', 2, "day: is '2026-12-31'; write a date such as 2026-12-31, without quotes"),
        (
            "day = 2026-12-31T08:00:00Z",
            2,
            "day: is 2026-12-31 08:00:00+00:00; write a date such as 2026-12-31, without quotes",
        ),
        ("day = 08:00:00", 2, "day: is 08:00:00; write a date such as 2026-12-31, without quotes"),
        ("inner = 1", 2, "inner: is 1; write a section [inner]"),
        ("[[inner]]", 2, "inner: is [{}]; write a section [inner]"),
        ("parts = 1", 2, "parts: is 1; write sections [[parts]]"),
        ("parts = [1]", 2, "parts: is [1]; write sections [[parts]]"),
        ("[parts]", 2, "parts: is {}; write sections [[parts]]"),
    ],
)
def test_a_wrong_value_of_the_other_kinds_is_noted_once(
    text: str, line: int, complaint: str, problems: Problems
) -> None:
    given = table(f"# one line before\n{text}", problems)

    assert given.boolean("on", True) is True
    assert given.texts("names", ("a",)) == ("a",)
    assert given.choice("kind", ("a", "b"), "b") == "b"
    assert given.date("day", needed=False) is None
    assert given.optional_section("inner") is None
    assert given.optional_sections("parts") == []
    given.end()

    assert told(problems) == [f"made-up.toml:{line}: {complaint}"]


def test_a_choice_returns_one_of_the_options_whatever_is_written(problems: Problems) -> None:
    given = table('kind = "c"\nother = 1\n', problems)

    assert given.choice("kind", iter(("a", "b"))) == "a"
    assert given.choice("other", ("a", "b"), "b") == "b"
    assert len(told(problems)) == 2


def test_what_is_in_a_section_with_free_keys_is_checked_all_the_same(problems: Problems) -> None:
    given = table('a = ""\nb = 1\n', problems)

    names = given.names()
    for name in names:
        given.text(name)
    given.end()

    assert told(problems) == [
        "made-up.toml:1: a: is empty; write a text",
        "made-up.toml:2: b: is 1; write a text in quotes",
    ]


def test_a_key_that_nobody_asked_for_is_noted_with_those_that_are_known(problems: Problems) -> None:
    given = table("# a name\nnmae = 1\n", problems)

    given.text("name", "a")
    given.number("share", 0.5, low=0, high=1)
    given.end()

    assert told(problems) == ["made-up.toml:2: nmae: is not known here; known are: name, share"]


def test_all_problems_are_raised_in_one_error_one_a_line(problems: Problems) -> None:
    given = table("\n\ncount = 99\n", problems)
    given.text("name")
    given.whole("count", low=0, high=9)

    with pytest.raises(ConfigError) as raised:
        problems.raise_any()
    assert str(raised.value).splitlines() == [
        "made-up.toml:1: name: is missing; write a text in quotes",
        "made-up.toml:3: count: is 99; write a number from 0 to 9",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("name = \n", 1), ('a = 1\n\nb = "c\n', 3), ("a = 1\nb = [\n\n", 2), ("a = 1\na = 2", 2)],
)
def test_what_is_not_toml_is_one_problem_with_its_line(text: str, line: int, problems: Problems) -> None:
    with pytest.raises(ConfigError, match=rf"^made-up\.toml:{line}: not TOML: .* \(at [^)]*\)$"):
        table(text, problems)


def test_a_problem_of_a_whole_section_is_at_the_section(problems: Problems) -> None:
    given = table("\n[inner]\n", problems)
    given.section("inner").note("", "is not enough")
    given.note("", "is not enough either")

    assert told(problems) == [
        "made-up.toml:2: inner: is not enough",
        "made-up.toml:1: is not enough either",
    ]


def test_what_is_missing_is_noted_at_the_section_it_belongs_to(problems: Problems) -> None:
    given = table('[inner]\n\n[[parts]]\nkey = "a"\n[[parts]]\n', problems)
    given.section("inner").section("deeper").text("key")
    for part in given.sections("parts"):
        part.text("key")

    assert told(problems) == [
        "made-up.toml:1: inner.deeper.key: is missing; write a text in quotes",
        "made-up.toml:5: parts[2].key: is missing; write a text in quotes",
    ]


def test_a_problem_stays_on_one_line_whatever_the_key(problems: Problems) -> None:
    given = table('"a\\nb" = 1\n"a.b" = 1\n', problems)
    given.end()

    assert [line.split(": is not")[0] for line in told(problems)] == [
        'made-up.toml:1: "a\\nb"',
        'made-up.toml:2: "a.b"',
    ]


def test_without_a_text_problems_have_no_line(problems: Problems) -> None:
    Table({}, "inner", problems).text("key")

    assert told(problems) == ["made-up.toml: inner.key: is missing; write a text in quotes"]
