"""How a call leaves us: the extensions of ``[asterisk-consent]`` it is sent to, and when Asterisk takes it by itself.

Rule: one request carries the outcome, the language and, where one is allowed, the recording; what the dialplan does
not know goes on unrecorded. Source: ``dialplan/asterisk-consent.conf``.
"""

from collections.abc import Iterable

from asterisk_consent.calls.announced import Segment
from asterisk_consent.dialogue.script import Dialogue
from asterisk_consent.model import Outcome, RecordingId

CONTEXT = "asterisk-consent"
ESCAPE_MARGIN_S = 3.0
"""Added to what is played and waited for: after that Asterisk takes the call away from a service that froze."""
LEFT_ALONE = "off"
"""The extension of a call that is none of ours: nothing is asked, recorded or kept."""

_UNRECORDED = frozenset({Outcome.REFUSED, Outcome.OBJECTED, Outcome.NO_CHOICE})


def way_out(outcome: Outcome, language: str) -> str:
    """Return the extension that lets a call with this outcome go on unrecorded."""
    return f"out*{outcome if outcome in _UNRECORDED else Outcome.FAILED}*{language}"


def recording_extension(recording_id: RecordingId, dialogue: Dialogue) -> str:
    """Return the extension that records what the dialogue came to: it begins with the recording's id."""
    return f"{recording_id}*{dialogue.decided}*{dialogue.language}"


def escape_s(segments: Iterable[Segment], *, first_digit_s: float, left_s: float | None) -> float:
    """Return the escape time-out while these files are played and a digit is waited for.

    :param left_s: what remains of the administrator's own limit, which is never passed; ``None`` without one.
    """
    wait_s = sum(segment.duration_ms for segment in segments) / 1000 + first_digit_s + ESCAPE_MARGIN_S
    return wait_s if left_s is None else max(0.05, min(wait_s, left_s))
