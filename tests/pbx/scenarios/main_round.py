"""The main round: every way a caller can answer, at once, on a healthy PBX.

Rule: each call has a name of its own here; what must have come of it is said in the tests of this folder.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tests.pbx.scenarios.scripts import (
    Part,
    agree_after_question,
    agree_and_leave_queue,
    agree_and_queue,
    agree_early_and_again,
    agree_in_question,
    agree_too_early,
    answer_in_turn,
    be_joined,
    be_replaced,
    hang_up_in_information,
    hang_up_with_digit,
    press_many_digits,
    press_wrong_digits,
    refuse_after_question,
    refuse_in_information,
    repeat_then_agree,
    say_nothing,
    talk_at_once,
)

WITHHELD_NUMBER = "+442079460013"
AGI = "1011"
"""The number that is asked over FastAGI."""
LATER_S = 58.0
"""When most calls of the round have ended and only the long ones are left."""
IN_TURN = 10
ROUTED = {"1": "agreed", "2": "refused"}
INJECTED = "/tmp/asterisk-consent-injected"
_SHELL = f"${{SHELL(touch {INJECTED})}}"

HOSTILE_NAMES: Mapping[str, str | bytes] = MappingProxyType(
    {
        "quotes and commas": "O\"Hara, \\ 'Jansen', (b)",
        "dialplan expression": f"{_SHELL},^{{SHELL(touch {INJECTED})}}",
        "path": "../../../../etc/passwd",
        "right to left and emoji": "\u202eشركة 😀",
        "terminal escapes and markup": "\x1b[31m[bold]red[/bold]\x07",
        "NUL and no UTF-8": b"zero \x00 \xff\xfe",
        "4 KB": "N" * 3000,
    }
)
HOSTILE_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "shell in the number": f"+442079460011%24%7BSHELL(touch%20{INJECTED.replace('/', '%2f')})%7D",
        "CR LF in the number": "+442079460014%0d%0aAction%3a%20Originate%0d%0aChannel%3a%20Local%2fagent",
        "commas and quotes in the number": "+442079460012%2c%22)%7d%5b,$(x),..%2f..%2f%1b%5b31m",
    }
)


def main_round(three_escapes_s: float) -> dict[str, Part]:
    """Return the calls of the main round.

    :param three_escapes_s: three times the escape time-out.
    """
    return {
        "agreed": Part(script=agree_in_question),
        "agreed after the question": Part(script=agree_after_question),
        "agreed and queued": Part(script=agree_and_queue, dialled="1007"),
        "agreed and left the queue": Part(script=agree_and_leave_queue, dialled="1007"),
        "agreed on the second hearing": Part(script=repeat_then_agree),
        "agreed too early and again": Part(script=agree_early_and_again),
        "pressed many digits": Part(script=press_many_digits),
        "agreed too early": Part(script=agree_too_early),
        "refused in the information": Part(script=refuse_in_information),
        "refused": Part(script=refuse_after_question),
        "said nothing": Part(script=say_nothing),
        "pressed wrong digits": Part(script=press_wrong_digits),
        "hung up in the information": Part(script=hang_up_in_information),
        "hung up with the digit": Part(script=hang_up_with_digit(0.0)),
        "hung up 10 ms after the digit": Part(script=hang_up_with_digit(0.01)),
        "hung up 100 ms after the digit": Part(script=hang_up_with_digit(0.1)),
        "emergency": Part(script=talk_at_once, dialled="112"),
        "unknown policy": Part(script=talk_at_once, dialled="1099"),
        "said nothing over FastAGI": Part(script=say_nothing, dialled=AGI),
        "long, agreed over FastAGI": Part(script=agree_in_question, dialled=AGI, stays_s=three_escapes_s),
        "withheld": Part(script=agree_in_question, number=WITHHELD_NUMBER, privacy=True),
        "limited by the administrator": Part(script=agree_in_question, dialled="1208", stays_s=60.0),
        "limited to less than the announcement": Part(script=say_nothing, dialled="1209"),
        "long, agreed": Part(script=agree_in_question, stays_s=three_escapes_s),
        "long, refused": Part(script=refuse_after_question, stays_s=three_escapes_s),
        "long, said nothing": Part(script=say_nothing, stays_s=three_escapes_s),
        "long, unknown policy": Part(script=talk_at_once, dialled="1099", stays_s=three_escapes_s),
        "replaced by a stranger": Part(script=be_replaced, dialled="1007", starts_s=LATER_S),
        "joined by a stranger": Part(script=be_joined, starts_s=LATER_S),
        **{
            f"{ROUTED[digit]} in turn {turn}": Part(script=answer_in_turn(turn, digit), starts_s=LATER_S)
            for turn, digit in enumerate("12" * IN_TURN)
        },
        **{title: Part(script=agree_in_question, name=name) for title, name in HOSTILE_NAMES.items()},
        **{title: Part(script=agree_in_question, number=number) for title, number in HOSTILE_NUMBERS.items()},
    }
