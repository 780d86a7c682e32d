"""Policy files: an example is read as it says; everything that is wrong is told at once."""

from pathlib import Path

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.policy import MAX_FIRST_DIGIT_S, Purpose, parse_policy

EXAMPLE = """
id = "p1-nl"
version = 3
mode = "opt-in"
basis = "consent"
language = "nl"

[controller]
id = "voorbeeld"
name = "Voorbeeld BV"

[digits]
agree = "1"
refuse = "2"
repeat = "#"

[timing]
attempts = 3
repeats = 1
first_digit_s = 4.5
overall_s = 60

[announcement]
text = "p1"
purposes = "de training van onze medewerkers"
storage_time = "90 dagen"
address = "voorbeeld punt example"

[[purposes]]
name = "training"
keep_days = 90

[[purposes]]
name = "evidence"
keep_days = 30
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_policy(text, file="p.toml")
    return str(raised.value).splitlines()


def test_a_policy_is_read_as_it_says() -> None:
    policy = parse_policy(EXAMPLE, file="p.toml")

    assert (policy.id, policy.version, policy.language) == ("p1-nl", 3, "nl")
    assert (policy.controller, policy.controller_name) == ("voorbeeld", "Voorbeeld BV")
    assert (policy.agree_digit, policy.refuse_digit, policy.repeat_digit) == ("1", "2", "#")
    assert (policy.attempts, policy.repeats, policy.first_digit_s, policy.overall_s) == (3, 1, 4.5, 60.0)
    assert policy.purposes == (
        Purpose(name="training", keep_days=90),
        Purpose(name="evidence", keep_days=30),
    )
    assert policy.announcement == "p1"
    assert dict(policy.places)["storage_time"] == "90 dagen"


def test_every_policy_that_is_shipped_can_be_read() -> None:
    files = sorted((Path(__file__).parents[1] / "policies").glob("*.toml"))

    assert [parse_policy(file.read_text(encoding="utf-8"), file=file.name).id for file in files] == [
        file.stem for file in files
    ]


def test_timing_has_defaults() -> None:
    timing = EXAMPLE[EXAMPLE.index("[timing]") : EXAMPLE.index("[announcement]")]
    policy = parse_policy(EXAMPLE.replace(timing, ""), file="p.toml")

    assert (policy.attempts, policy.repeats, policy.first_digit_s, policy.overall_s) == (2, 2, 5.0, 90.0)


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ('id = "p1-nl"', 'id = "p1 nl"', "id: begins with a letter or digit"),
        ('id = "p1-nl"', 'id = ".."', "id: begins with a letter or digit"),
        ('id = "p1-nl"', 'id = "p1/nl"', "id: begins with a letter or digit"),
        ('id = "p1-nl"', 'id = "é"', "id: begins with a letter or digit"),
        ('id = "p1-nl"', "", "id: is missing; write a text in quotes"),
        ("version = 3", "version = 0", "version: is 0; write a number from 1 to 1e+06"),
        ('mode = "opt-in"', 'mode = "opt-out"', "mode: must be 'opt-in'"),
        ('mode = "opt-in"', "", "mode: is missing; write a text in quotes"),
        ('basis = "consent"', 'basis = "contract"', "basis: must be 'consent'"),
        ('language = "nl"', 'language = "../nl"', "language: is '../nl'; write a language tag"),
        ('agree = "1"', 'agree = "12"', "digits.agree: is '12'; write one of 0123456789*# in quotes"),
        ('agree = "1"', 'agree = "A"', "digits.agree: is 'A'; write one of"),
        ('agree = "1"', "agree = 1", "digits.agree: is 1; write a text in quotes"),
        ('agree = "1"', "", "digits.agree: is missing; write a text in quotes"),
        ('agree = "1"', 'agree = "2"', "digits: two of them are the same digit"),
        ("attempts = 3", "attempts = 0", "timing.attempts: is 0; write a number from 1 to 5"),
        ("attempts = 3", "atempts = 3", "timing.atempts: is not known here; known are: attempts,"),
        ("first_digit_s = 4.5", "first_digit_s = 7.5", "timing.first_digit_s: is 7.5; write a number"),
        ("keep_days = 30", "keep_days = 0.5", "purposes[2].keep_days: is 0.5; write a number from 1"),
        ("keep_days = 30", "keep_day = 30", "purposes[2].keep_day: is not known here"),
        ('name = "Voorbeeld BV"', 'name = ""', "controller.name: is empty; write a text"),
        ('text = "p1"', "", "announcement.text: is missing; write a text in quotes"),
    ],
)
def test_a_wrong_line_is_told_with_what_where_and_what_to_write(
    line: str, instead: str, complaint: str
) -> None:
    assert line in EXAMPLE

    found = complaints(EXAMPLE.replace(line, instead, 1))

    assert any(each.startswith(f"p.toml: {complaint}") for each in found), found
    assert len(found) <= 2


def test_a_policy_without_a_purpose_is_refused() -> None:
    assert complaints(EXAMPLE[: EXAMPLE.index("[[purposes]]")]) == [
        "p.toml: purposes: is missing; write at least one section [[purposes]]"
    ]


def test_every_problem_is_told_at_once() -> None:
    found = complaints('id = "a b"\nmode = "x"\nbasis = "y"\nextra = 1\n[digits]\nagree = "99"\n')

    places = [complaint.split(": ")[1] for complaint in found]
    assert {
        "id",
        "mode",
        "basis",
        "extra",
        "digits.agree",
        "digits.refuse",
        "purposes",
        "controller.id",
    } <= set(places)


def test_a_caller_held_by_a_frozen_service_waits_ten_seconds_at_most_beside_the_announcement() -> None:
    assert MAX_FIRST_DIGIT_S <= 7.0
