"""Matches the digits of a receipt that a caller enters; a pure function with three answers."""

from enum import StrEnum

RECEIPT_DIGITS = 12
LAST_DIGITS = 4
"""How many of the last digits do where the caller's own number is known."""


class Match(StrEnum):
    """What digits are, so far."""

    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    INVALID = "invalid"


def match_receipt(digits: str, *, last_do: bool, ended: bool) -> Match:
    """Tell what these digits are.

    :param last_do: whether the last digits of a receipt do; four may then be the beginning of twelve.
    :param ended: whether the caller said that it is all, or fell silent.
    """
    if len(digits) == RECEIPT_DIGITS:
        return Match.COMPLETE
    if len(digits) > RECEIPT_DIGITS:
        return Match.INVALID
    if not ended:
        return Match.INCOMPLETE
    return Match.COMPLETE if last_do and len(digits) == LAST_DIGITS else Match.INVALID
