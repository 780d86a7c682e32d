"""Whichever way a call comes, over ARI or over FastAGI: the same caller gets the same outcome."""

import asyncio
from dataclasses import dataclass

import pytest

from asterisk_consent.model import Outcome
from tests.calls.agi_call import Caller
from tests.calls.asterisk import INFORMATION_MS, QUESTION_MS, waiting_channel
from tests.calls.ledger import FakeLedger
from tests.calls.service import POLICY, Service
from tests.calls.test_agi_session import conversation
from tests.calls.virtual_time import in_virtual_time

INFORMATION_S = INFORMATION_MS / 1000
QUESTIONED_S = (INFORMATION_MS + QUESTION_MS) / 1000
SILENT_S = POLICY.timing.first_digit_s
NEVER_S = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a caller does, in seconds after the arrival, and what happens around the call."""

    digits: tuple[tuple[float, str], ...] = ()
    hangs_up_at_s: float = NEVER_S
    policy: str = "p1-nl"
    presentation: str = "allowed"
    information_s: float = INFORMATION_S
    entry_takes_s: float = 0.0
    entries_fail: bool = False

    def prepare(self, ledger: FakeLedger) -> None:
        """Let the ledger behave as it does in this call."""
        ledger.delay_s = self.entry_takes_s
        ledger.failures = -1 if self.entries_fail else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it; ``went_on_at`` is the extension, with the id of a recording as ``recorded``."""

    outcome: Outcome | None
    digit: str
    withheld: bool
    reason: str
    went_on_at: str
    allowed: bool
    unstarted: bool


BEHAVIOURS = {
    "agrees in the question": Behaviour(digits=((INFORMATION_S + 1, "1"),)),
    "agrees in the silence": Behaviour(digits=((QUESTIONED_S + 2, "1"),)),
    "agrees too early": Behaviour(digits=((2.0, "1"),)),
    "agrees too early and again": Behaviour(digits=((2.0, "1"), (INFORMATION_S + 2, "1"))),
    "refuses in the information": Behaviour(digits=((1.0, "2"),)),
    "refuses in the question": Behaviour(digits=((INFORMATION_S + 1, "2"),)),
    "refuses in the silence": Behaviour(digits=((QUESTIONED_S + 2, "2"),)),
    "agrees too early, then refuses": Behaviour(digits=((2.0, "1"), (4.0, "2"))),
    "says nothing": Behaviour(),
    "wrong digit, then agrees": Behaviour(digits=((INFORMATION_S + 1, "7"), (INFORMATION_S + 3, "1"))),
    "wrong digits only": Behaviour(digits=tuple((INFORMATION_S + at, "9") for at in (1, 2, 3))),
    "asks to repeat, then agrees": Behaviour(digits=((QUESTIONED_S + 1, "#"), (2 * QUESTIONED_S, "1"))),
    "asks to repeat, then agrees at once": Behaviour(
        digits=((INFORMATION_S + 1, "#"), (INFORMATION_S + 3, "1"))
    ),
    "asks to repeat too often": Behaviour(
        digits=tuple((at, "#") for at in (16.0, 16.0 + 17, 16.0 + 19, 16.0 + 21))
    ),
    "storm of digits": Behaviour(
        digits=(*((0.05 * step, "AB4*"[step % 4]) for step in range(290)), (INFORMATION_S + 1, "1"))
    ),
    "letters": Behaviour(
        digits=((INFORMATION_S + 1, "A"), (INFORMATION_S + 2, "D"), (INFORMATION_S + 3, "1"))
    ),
    "hangs up in the information": Behaviour(hangs_up_at_s=3.0),
    "hangs up in the silence": Behaviour(hangs_up_at_s=QUESTIONED_S + 2),
    "hangs up after an early digit": Behaviour(digits=((2.0, "1"),), hangs_up_at_s=5.0),
    "unknown policy": Behaviour(policy="p9"),
    "no announcement": Behaviour(policy="p1-mute"),
    "information cut short": Behaviour(information_s=0.5, digits=((3.0, "1"),)),
    "withheld number": Behaviour(presentation="prohib_not_screened", digits=((INFORMATION_S + 1, "1"),)),
    "agrees, hears the receipt": Behaviour(policy="p1-receipt", digits=((INFORMATION_S + 1, "1"),)),
    "agrees, skips the receipt": Behaviour(
        policy="p1-receipt", digits=((INFORMATION_S + 1, "1"), (INFORMATION_S + 5, "2"))
    ),
    "agrees, hangs up in the receipt": Behaviour(
        policy="p1-receipt", digits=((INFORMATION_S + 1, "1"),), hangs_up_at_s=INFORMATION_S + 6
    ),
    "refuses, where the receipt would be read": Behaviour(
        policy="p1-receipt", digits=((INFORMATION_S + 1, "2"),)
    ),
    "agrees, entry cannot be written": Behaviour(digits=((INFORMATION_S + 1, "1"),), entries_fail=True),
    "refuses, entry cannot be written": Behaviour(digits=((1.0, "2"),), entries_fail=True),
    "agrees, entry is late": Behaviour(digits=((INFORMATION_S + 1, "1"),), entry_takes_s=10.0),
    "refuses, entry is late": Behaviour(digits=((1.0, "2"),), entry_takes_s=10.0),
}


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_caller_gets_the_same_outcome_either_way(name: str) -> None:
    results: list[Result] = []

    @in_virtual_time
    async def over_ari() -> None:
        results.append(await by_ari(BEHAVIOURS[name]))

    @in_virtual_time
    async def over_fastagi() -> None:
        results.append(await by_fastagi(BEHAVIOURS[name]))

    over_ari()
    over_fastagi()
    assert results[0] == results[1]
    assert results[0].outcome is not None or BEHAVIOURS[name].entries_fail


async def by_ari(behaviour: Behaviour) -> Result:
    """Let the caller come over ARI."""
    service = Service()
    behaviour.prepare(service.ledger)
    asterisk, loop = service.asterisk, asyncio.get_running_loop()
    asterisk.lengths_ms["information"] = round(behaviour.information_s * 1000)
    asterisk.arrive(waiting_channel(policy=behaviour.policy, presentation=behaviour.presentation))
    for at_s, digit in behaviour.digits:
        loop.call_later(at_s, asterisk.press, digit)
    if behaviour.hangs_up_at_s != NEVER_S:
        loop.call_later(behaviour.hangs_up_at_s, asterisk.hang_up)
    await service.finish()
    return result_of(service, service.continued)


async def by_fastagi(behaviour: Behaviour) -> Result:
    """Let the caller come over FastAGI."""
    service = Service()
    behaviour.prepare(service.ledger)
    caller = Caller(digits=list(behaviour.digits), hangs_up_at_s=behaviour.hangs_up_at_s)
    caller.lengths_s["information"] = behaviour.information_s
    about = {"policy": behaviour.policy, "presentation": behaviour.presentation}
    channel = await conversation(service, caller, **about)
    return result_of(service, channel.extensions)


def result_of(service: Service, extensions: list[str]) -> Result:
    """Tell what came of the one call; a call that ended goes on nowhere."""
    decisions = service.ledger.decisions()
    decision = decisions[0] if decisions else None
    assert len(decisions) <= 1
    recordings = [awaited.recording_id for awaited in service.recorder.expected]
    went_on_at = extensions[-1] if extensions else ""
    return Result(
        outcome=decision.outcome if decision else None,
        digit=decision.digit if decision else "",
        withheld=decision.withheld if decision else False,
        reason=decision.reason if decision else "",
        went_on_at="recorded" if went_on_at in recordings else went_on_at,
        allowed=bool(recordings),
        unstarted=bool(service.recorder.unstarted),
    )
