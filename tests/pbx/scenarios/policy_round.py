"""The round of the policies: every way to answer each of them, at once, on a healthy PBX.

Rule: a caller of whom nothing may be kept has a number that no other call of any run has, so that it can be looked
for in every file. What must have come of a call is said in the tests of its policy.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.exchange import MENU
from tests.pbx.scenarios.policy_scripts import (
    choose,
    hang_up_in_chosen_language,
    leave_at_once,
    object_after_question,
    object_in_information,
    object_in_menu,
    object_in_question,
    press_during_the_notice,
    press_wrong_digit,
    press_wrong_digit_in_menu,
    try_to_refuse,
)
from tests.pbx.scenarios.round import Played, Round
from tests.pbx.scenarios.scripts import (
    Part,
    Script,
    agree_and_queue,
    agree_in_question,
    hang_up_in_information,
    refuse_after_question,
    refuse_in_information,
    say_nothing,
    talk_at_once,
)

OFF_CALLS = "CONSENT_OFF_CALLS"
IN_TURN = 6
LATER_S = 35.0
"""When most calls of the round have ended."""
KEPT = "seen: "
"""How the calls begin whose channel variables are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The variables after the dialplan's ``Gosub``; ``called`` is CONSENT_RECORDED on the agent's channel."""

    outcome: str
    recorded: str
    language: str
    id: str
    called: str


@dataclass(slots=True, kw_only=True)
class PolicyRound:
    """What became of all the calls.

    :param counted: how many calls Asterisk counted as none of ours.
    """

    round: Round
    counted: int
    seen: Mapping[str, Seen]

    def __getitem__(self, name: str) -> Played:
        """The call of that name."""
        return self.round[name]

    def ring_delay_s(self, dialled: str) -> float:
        """How long it took from dialling until the agent's phone rang, in the middle of several calls."""
        callers = [self[f"{dialled} in turn {turn}"].caller for turn in range(IN_TURN)]
        return statistics.median(caller.rang_at - caller.call.placed_at for caller in callers)


def policies_of(pbx: DevelopmentPbx, played: Round, counted_before: int) -> PolicyRound:
    """Look at what came of these calls in a round that was played, others beside them."""
    seen = {
        name: _seen(pbx, call.caller.number) for name, call in played.calls.items() if name.startswith(KEPT)
    }
    return PolicyRound(
        round=played, counted=pbx.asterisk.global_number(OFF_CALLS) - counted_before, seen=seen
    )


def policy_round(starts_s: float = 0.0) -> dict[str, Part]:
    """Return the calls of the round.

    :param starts_s: how long after the beginning of it all.
    """
    return {name: replace(part, starts_s=part.starts_s + starts_s) for name, part in _parts().items()}


def _parts() -> dict[str, Part]:
    parts = {**_opt_in(), **_notice(), **_opt_out(), **_variables()}
    for turn in range(IN_TURN):
        for place, dialled in enumerate(("112", "1005")):
            starts_s = LATER_S + turn + place / 2
            number = unkept(60 + turn) if dialled == "1005" else ""
            parts[f"{dialled} in turn {turn}"] = Part(
                script=leave_at_once, dialled=dialled, starts_s=starts_s, number=number
            )
    return parts


def unkept(place: int) -> str:
    """A number below those that other callers of the tests have."""
    assert 20 <= place < 100
    return f"+44207946{place:04d}"


def _opt_in() -> dict[str, Part]:
    return {
        "p1 nl, agreed": Part(script=agree_in_question),
        "p1 nl, refused": Part(script=refuse_in_information, number=unkept(20)),
        "p1 nl, silent": Part(script=say_nothing, number=unkept(21)),
        "p1 en, agreed": Part(script=agree_in_question, dialled="1021"),
        "p1 en, refused": Part(script=refuse_after_question, dialled="1021", number=unkept(22)),
        "p2, agreed": Part(script=agree_in_question, dialled="1002"),
        "p2, refused": Part(script=refuse_after_question, dialled="1002", number=unkept(23)),
        "p2, silent": Part(script=say_nothing, dialled="1002", number=unkept(24)),
        "p4, agreed": Part(script=agree_in_question, dialled="1004"),
        "p4, refused": Part(script=refuse_after_question, dialled="1004", number=unkept(25)),
        "p4, not bought": Part(script=talk_at_once, dialled="1005", number=unkept(26)),
    }


def _notice() -> dict[str, Part]:
    return {
        "p3, stayed": Part(script=say_nothing, dialled="1003"),
        "p3, pressed digits": Part(script=press_during_the_notice, dialled="1003"),
        "p3, hung up": Part(script=hang_up_in_information, dialled="1003", number=unkept(27)),
        "legal, stayed": Part(script=say_nothing, dialled="1220"),
        "legal, tried to refuse": Part(script=try_to_refuse, dialled="1220"),
        "legal, hung up": Part(script=hang_up_in_information, dialled="1220", number=unkept(28)),
    }


def _opt_out() -> dict[str, Part]:
    objecting: dict[str, Script] = {
        "menu": object_in_menu,
        "information": choose("1", object_in_information),
        "question": choose("2", object_in_question),
        "silence": choose("4", object_after_question),
    }
    undecided: dict[str, Script] = {
        "no language": say_nothing,
        "wrong digit in menu": press_wrong_digit_in_menu,
        "wrong digit": choose("3", press_wrong_digit),
        "hung up in menu": hang_up_in_information,
        "hung up": choose("2", hang_up_in_chosen_language),
    }
    return {
        **{
            f"p5 {language}, stayed": Part(script=choose(digit, say_nothing), dialled="1006")
            for digit, language in MENU.items()
        },
        **{
            f"p5, objected in {where}": Part(script=script, dialled="1006", number=unkept(30 + place))
            for place, (where, script) in enumerate(objecting.items())
        },
        **{
            f"p5, {what}": Part(script=script, dialled="1006", number=unkept(40 + place))
            for place, (what, script) in enumerate(undecided.items())
        },
        "p5, excluded": Part(script=talk_at_once, dialled="1008", number=unkept(46)),
        "p5 over FastAGI, stayed": Part(script=choose("2", say_nothing), dialled="1016"),
        "p5 over FastAGI, objected": Part(script=object_in_menu, dialled="1016", number=unkept(47)),
        "p5 over FastAGI, no language": Part(script=say_nothing, dialled="1016", number=unkept(48)),
    }


def _variables() -> dict[str, Part]:
    """Calls to numbers that keep what the variables hold."""
    return {
        f"{KEPT}given": Part(script=agree_and_queue, dialled="1227"),
        f"{KEPT}refused": Part(script=refuse_in_information, dialled="1221", number=unkept(50)),
        f"{KEPT}informed": Part(script=choose("3", say_nothing), dialled="1226"),
        f"{KEPT}objected": Part(script=choose("4", object_in_information), dialled="1226", number=unkept(51)),
        f"{KEPT}no_choice": Part(script=say_nothing, dialled="1226", number=unkept(52)),
        f"{KEPT}failed": Part(script=talk_at_once, dialled="1229", number=unkept(53)),
        f"{KEPT}off": Part(script=talk_at_once, dialled="1225", number=unkept(54)),
    }


def _seen(pbx: DevelopmentPbx, number: str) -> Seen:
    def value(name: str) -> str:
        return pbx.asterisk.global_variable(f"SEEN_{name}_{number.removeprefix('+')}")

    return Seen(
        outcome=value("OUTCOME"),
        recorded=value("RECORDED"),
        language=value("LANGUAGE"),
        id=value("ID"),
        called=value("CALLED"),
    )
