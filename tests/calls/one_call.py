"""One call on the made-up Asterisk: being asked, and after a digit."""

import asyncio

from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from asterisk_consent.ledger.payload import Decision
from tests.calls.asterisk import (
    INFORMATION_MS,
    QUESTION_MS,
    waiting_channel,
)
from tests.calls.service import POLICY, Service, settle

INFORMATION_S = INFORMATION_MS / 1000
QUESTION_S = QUESTION_MS / 1000
ESCAPE_S = INFORMATION_S + QUESTION_S + POLICY.timing.first_digit_s + ESCAPE_MARGIN_S
TIMEOUT = f"TIMEOUT(absolute)={ESCAPE_S:.3f}"


async def asked(policy: str = "p1-nl", *, limit: str = "0", presentation: str = "allowed") -> Service:
    """Return a service with one call that has just been asked."""
    service = Service()
    service.asterisk.arrive(waiting_channel(policy=policy, limit=limit, presentation=presentation))
    await settle()
    return service


async def answered(digit: str, *, after_s: float = INFORMATION_S + 1, delay_s: float = 0.0) -> Service:
    """Return a service with one call whose caller has pressed a digit, by default during the question."""
    service = await asked()
    service.ledger.delay_s = delay_s
    await asyncio.sleep(after_s)
    service.asterisk.press(digit)
    await settle()
    return service


def only_decision(service: Service) -> Decision:
    (decision,) = service.ledger.decisions()
    return decision
