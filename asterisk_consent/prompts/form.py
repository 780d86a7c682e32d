"""The kinds of what is spoken to callers, and the parts that each has.

Rule: an announcement is what a decision rests on, so it is approved, and its digest is entered. What the withdrawal
line says and the digits that are read out tell nobody what is recorded; they need no approval, but they are made,
levelled and compared with their digests as everything that is played.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PAUSE = "pause"
"""The part of the digits that is silence, between groups of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One kind of what is spoken.

    :param name: what it is called in errors.
    :param duties: what the sentences of each part tell, by part and duty, in the order of the parts.
    :param needed: the parts without which it is incomplete.
    :param places: what a text of it may name between braces.
    """

    name: str
    duties: Mapping[str, Mapping[str, str]]
    needed: frozenset[str]
    places: frozenset[str] = frozenset()

    @property
    def parts(self) -> tuple[str, ...]:
        """All the parts it may have."""
        return tuple(self.duties)


ANNOUNCEMENT = Form(
    name="announcement",
    duties={
        "menu": {"choose": "which digit chooses this language"},
        "information": {
            "controller": "who the controller is",
            "recording": "that the call is recorded, or that the controller wants to record it",
            "monitoring": "that the call is or may be listened to while it goes on",
            "purposes": "what the recording is for",
            "content": "what is in the recording: the voice, and what is said",
            "storage": "how long the recording is kept",
            "withdrawal": "that consent can be withdrawn at any time, and that the recording is then erased",
            "objection": "that and how one may object",
            "legal_obligation": "that the law demands the recording",
            "rights": "which other rights the caller has",
            "equal_service": "that the caller is put through whatever the answer",
            "address": "where the whole privacy notice is",
        },
        "question": {
            "agree": "which digit agrees to the recording",
            "refuse": "which digit refuses the recording",
            "object": "which digit objects to recording and listening",
            "repeat": "which digit has everything said again",
        },
        "no_refusal": {
            "no_refusal": "that this recording cannot be refused, why, and what else the caller can do"
        },
        "receipt": {"receipt": "that the digits follow with which the caller can withdraw afterwards"},
    },
    needed=frozenset({"information"}),
    places=frozenset(
        {
            "controller",
            "purposes",
            "storage_time",
            "address",
            "agree_digit",
            "refuse_digit",
            "repeat_digit",
            "language_digit",
        }
    ),
)

_RECEIPT = {
    "digits": "which digits to enter",
    "end": "which digit ends the entry, and which starts over",
}
_LINE_DUTIES: Mapping[str, Mapping[str, str]] = {
    "menu": {"choose": "which digit chooses this language"},
    "greeting": {
        "controller": "whose line it is",
        "purpose": "that consent to a recording can be withdrawn here",
    },
    "ask_last": _RECEIPT,
    "ask_whole": _RECEIPT,
    "unclear": {"unclear": "that what was entered has not the right number of digits"},
    "confirm": {
        "effect": "that withdrawing has the recording erased, if there is one",
        "confirm": "which digit confirms",
        "decline": "which digit leaves everything as it is",
    },
    "not_found": {"not_found": "that no recording can be found with that"},
    "erased": {"erased": "that the recording is erased"},
    "kept_by_law": {"kept": "that the withdrawal is noted, but the law demands that the recording is kept"},
    "kept_on_hold": {
        "kept": "that the withdrawal is noted, but a dispute is under way that needs the recording"
    },
    "pending": {"pending": "that the withdrawal is noted and will be carried out"},
    "reference": {"reference": "that a reference follows"},
    "reference_again": {"again": "that it is said once more"},
    "unchanged": {"unchanged": "that nothing was changed"},
    "later": {"later": "that it cannot be done now, and what else the caller can do"},
    "goodbye": {"goodbye": "that it is over"},
}

WITHDRAWAL_LINE = Form(
    name="withdrawal line",
    duties=_LINE_DUTIES,
    needed=frozenset(_LINE_DUTIES) - {"menu"},
    places=frozenset(
        {
            "controller",
            "address",
            "language_digit",
            "end_digit",
            "again_digit",
            "confirm_digit",
            "decline_digit",
        }
    ),
)

_DIGIT_DUTIES: Mapping[str, Mapping[str, str]] = {
    **{digit: {"word": "the digit as a word"} for digit in "0123456789"},
    PAUSE: {},
}
DIGITS = Form(name="digits", duties=_DIGIT_DUTIES, needed=frozenset(_DIGIT_DUTIES))

FORMS = (ANNOUNCEMENT, WITHDRAWAL_LINE, DIGITS)

ORDER: tuple[str, ...] = tuple(dict.fromkeys(part for form in FORMS for part in form.parts))
"""Every part there is, in the order in which digests are taken over them."""
