"""Those who refuse are treated like those who agree: the same routing, in the same time."""

import statistics

from tests.pbx.scenarios.main_round import ROUTED
from tests.pbx.scenarios.round import Round

DIFFERENCE_S = 0.02


def test_refusal_and_agreement_are_routed_alike_and_as_fast(asked: Round) -> None:
    """Measured from the end of the digit until the agent's phone rings; callers of both kinds answer in turn."""
    medians_s = {}
    for kind in ROUTED.values():
        callers = [asked[name].caller for name in asked.calls if name.startswith(f"{kind} in turn")]
        medians_s[kind] = statistics.median(caller.rang_at - caller.pressed_at for caller in callers)
    assert abs(medians_s["agreed"] - medians_s["refused"]) <= DIFFERENCE_S
