"""Every key that tomllib finds has a line, and that line holds it."""

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given

from asterisk_consent.toml_lines import inside, key_lines, nearest_line
from tests.toml_documents import documents, mark_of

POLICY = """\
id = "p1"       # the first line

[digits]
agree = "1"
'refuse' = "2"

[[purposes]]
name = "training"
keep_days = 90

[[purposes]]
name = "evidence"
keep_days = 30
[purposes.announced]
text = "p1"
[[purposes.places]]
address = "here"
[[purposes.places]]
"""


def test_a_policy_gets_the_lines_that_an_editor_shows() -> None:
    assert key_lines(POLICY) == {
        "id": 1,
        "digits": 3,
        "digits.agree": 4,
        "digits.refuse": 5,
        "purposes": 7,
        "purposes[1]": 7,
        "purposes[1].name": 8,
        "purposes[1].keep_days": 9,
        "purposes[2]": 11,
        "purposes[2].name": 12,
        "purposes[2].keep_days": 13,
        "purposes[2].announced": 14,
        "purposes[2].announced.text": 15,
        "purposes[2].places": 16,
        "purposes[2].places[1]": 16,
        "purposes[2].places[1].address": 17,
        "purposes[2].places[2]": 18,
    }


def test_lines_that_end_the_way_of_windows_are_counted_the_same() -> None:
    assert key_lines(POLICY.replace("\n", "\r\n")) == key_lines(POLICY)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# a = 1\n\n  a = 1", {"a": 3}),
        ("a.b . 'c' = 1", {"a": 1, "a.b": 1, "a.b.c": 1}),
        ("a.b = 1\na.c = 2", {"a": 1, "a.b": 1, "a.c": 2}),
        ("[a.b]\n[a]\n", {"a": 2, "a.b": 1}),
        ("[ a . b ] # c\nd = 1", {"a": 1, "a.b": 1, "a.b.d": 2}),
        ("3.14 = 1", {"3": 1, "3.14": 1}),
        ('"a.b" = 1\na.b = 2', {'"a.b"': 1, "a": 2, "a.b": 2}),
        ('"a\\nb" = 1\n"" = 2\n"=" = 3', {'"a\\nb"': 1, '""': 2, '"="': 3}),
        ("a = {}\nb = {c = 1, d.e = 2}", {"a": 1, "b": 2, "b.c": 2, "b.d": 2, "b.d.e": 2}),
        ("a = []\nb = [\n1, # one, [\n2,\n]\nc = 1", {"a": 1, "b": 2, "b[1]": 3, "b[2]": 4, "c": 6}),
        ("a = [[1,\n2], [\n3]]", {"a": 1, "a[1]": 1, "a[1][1]": 1, "a[1][2]": 2, "a[2]": 2, "a[2][1]": 3}),
        ("a = [{b = 1},\n{b = 2}]", {"a": 1, "a[1]": 1, "a[1].b": 1, "a[2]": 2, "a[2].b": 2}),
        ("a = 1979-05-27 07:32:00.5\nb = 1.5e3", {"a": 1, "b": 2}),
        ('a = """\nb = 1\n\\"""\nc = 2""""\nd = 3', {"a": 1, "d": 5}),
        ("a = '''\nb = 1\\'''\nc = ''''''''\nd = 3", {"a": 1, "c": 3, "d": 4}),
        ('a = "# \'b\' = [" # \'"""\nc = \'"\' # """\nd = 1', {"a": 1, "c": 2, "d": 3}),
    ],
)
def test_each_way_to_write_a_key_is_found(text: str, lines: dict[str, int]) -> None:
    tomllib.loads(text)

    assert key_lines(text) == lines


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("digits.agree", 4),
        ("digits.repeat", 3),
        ("purposes[2].keep", 11),
        ("purposes[2].announced.who.else", 14),
        ("purposes[3].name", 7),
        ("purposes[2].places[2].address", 18),
        ('digits."a.b[1]"', 3),
        ("other.key", 1),
        ("other", 1),
        ("", 1),
    ],
)
def test_what_is_missing_is_at_the_section_that_it_belongs_to(place: str, line: int) -> None:
    assert nearest_line(place, key_lines(POLICY)) == line


@given(documents())
def test_every_key_that_tomllib_finds_has_a_line_that_holds_it(text: str) -> None:
    lines = key_lines(text)
    written = text.split("\n")
    found = dict(places("", tomllib.loads(text)))

    assert lines.keys() == found.keys()
    for place, (key, value) in found.items():
        line = written[lines[place] - 1]
        assert key in line or json.dumps(key)[1:-1] in line, place
        assert mark_of(value) in line, place


def places(place: str, value: object, key: str = "") -> Iterator[tuple[str, tuple[str, object]]]:
    """Every place of a value below another place, with its key, if it has one, and what stands there."""
    if place:
        yield place, (key, value)
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(inside(place, name), item, name)
    if isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from places(f"{place}[{index}]", item)
