"""A receipt is matched digit by digit: incomplete, complete or invalid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.dialogue.withdrawal.receipt import Match, match_receipt
from asterisk_consent.dialogue.withdrawal.script import SpokenDigit, spoken_digits


@pytest.mark.parametrize(
    ("count", "last_do", "ended", "match"),
    [
        (0, True, False, Match.INCOMPLETE),
        (0, True, True, Match.INVALID),
        (3, True, True, Match.INVALID),
        (4, True, False, Match.INCOMPLETE),
        (4, True, True, Match.COMPLETE),
        (4, False, True, Match.INVALID),
        (5, True, True, Match.INVALID),
        (11, False, False, Match.INCOMPLETE),
        (11, False, True, Match.INVALID),
        (12, False, False, Match.COMPLETE),
        (12, True, True, Match.COMPLETE),
        (13, True, False, Match.INVALID),
    ],
)
def test_twelve_digits_are_a_receipt_and_four_where_they_do(
    count: int, last_do: bool, ended: bool, match: Match
) -> None:
    assert match_receipt("4" * count, last_do=last_do, ended=ended) is match


@given(digits=st.text("0123456789", max_size=20), group=st.integers(1, 5))
def test_digits_are_read_out_in_their_order_with_a_pause_between_groups(digits: str, group: int) -> None:
    spoken = spoken_digits(digits, group=group)

    words = "".join(" " if each is SpokenDigit.PAUSE else each for each in spoken)
    assert words == " ".join(digits[start : start + group] for start in range(0, len(digits), group))
