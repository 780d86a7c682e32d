"""A finding holds no telephone number, whatever it was made of."""

import pytest

from asterisk_consent.doctor.finding import Level, masked, of_error, spell_age
from asterisk_consent.errors import ConfigError, ConsentError


@pytest.mark.parametrize("number", ["+31201234567", "0612345678", "442079460123", "1234567"])
def test_what_may_be_a_number_is_taken_out(number: str) -> None:
    assert masked(f"is {number!r}, here") == "is '…', here"


@pytest.mark.parametrize(
    "text", ["line 123456", "2026-11-24", "0123456789abcdef0123456789abcdef", "Asterisk 22.10.1"]
)
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text


def test_an_error_becomes_one_finding_a_line() -> None:
    found = of_error(ConfigError("a.toml:1: region: wrong\na.toml:2: excluded: is '+31201234567'"))
    assert [finding.level for finding in found] == [Level.ERROR, Level.ERROR]
    assert (found[0].where, found[0].what) == ("a.toml:1", "region: wrong")
    assert (found[1].where, found[1].what) == ("a.toml:2", "excluded: is '…'")
    assert {finding.remedy for finding in found} == {"Correct it there"}


def test_what_the_system_refuses_to_these_rights_is_not_known_rather_than_wrong() -> None:
    problem = ConsentError("cannot be listed", where="/x")
    problem.__cause__ = PermissionError()
    (finding,) = of_error(problem)
    assert (finding.level, finding.where) == (Level.UNKNOWN, "/x")
    assert "root" in finding.remedy


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [(0, "0 seconds"), (-5, "0 seconds"), (61, "1 minute"), (7_200, "2 hours"), (90_000, "1 day")],
)
def test_an_age_is_told_in_the_largest_unit_that_fits(seconds: float, spelt: str) -> None:
    assert spell_age(seconds) == spelt
