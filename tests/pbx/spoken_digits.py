"""Tells by their sound which digits were read out to somebody.

Rule: at each place the digit that sounds most like it counts, and only where it is the same sound; nothing is known
beforehand of which digits there should be.
"""

from pathlib import Path

from tests.pbx.ears import Heard
from tests.pbx.sound import likeness
from tests.pbx.spoken import SAME, read_prompt

SLACK_S = 0.12


def digits_heard(
    heard: Heard, directory: Path, *, since: float, groups: tuple[int, ...]
) -> tuple[str, float]:
    """Return the digits read out from the moment ``since``, and the moment after the last.

    :param directory: of the digits in the language that is spoken.
    :param groups: how many there are between two pauses.
    :raises AssertionError: at some place no digit is the same sound.
    """
    digits = {str(digit): read_prompt(directory / f"{digit}.wav", heard.rate) for digit in range(10)}
    pause_s = len(read_prompt(directory / "pause.wav", heard.rate)) / heard.rate
    found, at = "", since
    for place, count in enumerate(groups):
        at += pause_s if place else 0.0
        for _ in range(count):
            likenesses = {
                digit: likeness(
                    heard.between(at - SLACK_S, at + len(sound) / heard.rate + SLACK_S).samples, sound
                )
                for digit, sound in digits.items()
            }
            best = max(likenesses, key=lambda digit: likenesses[digit])
            assert likenesses[best] >= SAME, (
                f"after {found!r} the most alike is {best}: {likenesses[best]:.2f}"
            )
            found, at = found + best, at + len(digits[best]) / heard.rate
    return found, at
