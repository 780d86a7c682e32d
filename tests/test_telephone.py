"""Numbers in one form: the same number is the same text, and what is none stays as it is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asterisk_consent.telephone import e164


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("020 7946 0123", "GB", "+442079460123"),
        ("+44 20 7946 0123", "NL", "+442079460123"),
        ("0044 20 7946 0123", "NL", "+442079460123"),
        ("0031 6 12345678", "NL", "+31612345678"),
        ("31 6 12345678", "NL", "+31612345678"),
        ("06-12345678", "NL", "+31612345678"),
        ("(020) 123.45/67", "NL", "+31201234567"),
        ("479 12 345", "NO", "+4747912345"),
        ("112", "NL", "112"),
        ("1001", "NL", "1001"),
        ("anna", "NL", "anna"),
        ("", "NL", ""),
    ],
)
def test_a_number_gets_its_international_form_and_everything_else_stays(
    number: str, region: str, expected: str
) -> None:
    assert e164(number, region) == expected


@given(st.text(max_size=200), st.sampled_from(["NL", "GB", "NO", "ZZ"]))
@example("+" * 64, "NL")
@example("1" * 300, "NL")
def test_any_text_in_place_of_a_number_is_fine(number: str, region: str) -> None:
    assert e164(number, region) == number or e164(number, region).startswith("+")


@given(st.text("0123456789 +-/.()", max_size=20), st.sampled_from(["NL", "GB", "NO"]))
def test_the_international_form_of_a_number_is_its_own(number: str, region: str) -> None:
    once = e164(number, region)
    if once.startswith("+") and once != number:
        assert e164(once, region) == once


@pytest.mark.parametrize("way", ["+31201234567", "0031201234567", "31201234567", "0201234567", "020-1234567"])
def test_every_way_to_write_a_number_is_the_same_number(way: str) -> None:
    assert e164(way, "NL") == "+31201234567"
