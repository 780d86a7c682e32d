"""A service that is away before a call: stopped, killed or frozen costs the caller next to nothing."""

import asyncio
import statistics
import time

import pytest

from asterisk_consent.ledger import Decision
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import read_entries
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.main_round import AGI
from tests.pbx.service import Service

HEARTBEAT_LIFE_S = 3.0
ADDED_S = 0.2
FROZEN_ADDED_S = 3.0
ASKED = ("1001", AGI)
"""Asked over ARI and over FastAGI."""


async def ring_delays(pbx: DevelopmentPbx, *numbers: str) -> tuple[list[float], list[str]]:
    """Call all the numbers at once; return seconds until the agent's phone rang, and the channels."""

    async def call(exchange: Exchange, dialled: str) -> Caller:
        caller = exchange.dial(dialled)
        await caller.connected()
        await caller.reach_agent()
        await caller.hang_up()
        return caller

    async with Exchange(pbx) as exchange:
        callers = await asyncio.gather(*(call(exchange, dialled) for dialled in numbers))
    delays = [caller.rang_at - caller.call.placed_at for caller in callers]
    return delays, [caller.channel for caller in callers]


def notes_entered(pbx: DevelopmentPbx, channels: list[str], *, within_s: float = 5.0) -> list[Decision]:
    """Wait for the entries of calls that passed while nobody answered."""
    give_up_at = time.monotonic() + within_s
    while True:
        entries = read_entries(pbx.settings)
        found = [decision for channel in channels for decision in entries.decisions(channel)]
        if len(found) >= len(channels) or time.monotonic() > give_up_at:
            return found
        time.sleep(0.2)


def test_variables_of_the_administrator_named_as_ours_cut_no_call(
    pbx: DevelopmentPbx, service: Service
) -> None:
    async def stays() -> bool:
        async with Exchange(pbx) as exchange:
            caller = exchange.dial("1213")
            await caller.connected()
            await caller.reach_agent()
            await asyncio.sleep(2.0)
            return not caller.call.ended.is_set()

    service.stop()
    assert asyncio.run(stays())


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_service_that_is_gone_costs_a_call_next_to_nothing(
    pbx: DevelopmentPbx, service: Service, how: str
) -> None:
    direct, _ = asyncio.run(ring_delays(pbx, *["112"] * 4))
    if how == "stopped":
        service.stop()
    else:
        service.kill()
        time.sleep(HEARTBEAT_LIFE_S + 1.1)
    passing, channels = asyncio.run(ring_delays(pbx, *ASKED * 2))
    assert statistics.median(passing) <= statistics.median(direct) + ADDED_S
    service.start()
    entered = notes_entered(pbx, channels)
    assert [(decision.outcome, decision.reason) for decision in entered] == [
        (Outcome.FAILED, "the service was away")
    ] * len(channels)


def test_a_frozen_service_costs_the_next_call_three_seconds_and_later_ones_nothing(
    pbx: DevelopmentPbx, service: Service
) -> None:
    direct, _ = asyncio.run(ring_delays(pbx, *["112"] * 4))
    service.freeze()
    frozen_at = time.monotonic()
    emergency, unasked = asyncio.run(ring_delays(pbx, *["112"] * 4))
    first, channels = asyncio.run(ring_delays(pbx, *ASKED))
    time.sleep(max(0.0, frozen_at + HEARTBEAT_LIFE_S + 1.1 - time.monotonic()))
    later, later_channels = asyncio.run(ring_delays(pbx, *ASKED * 2))
    assert statistics.median(emergency) <= statistics.median(direct) + ADDED_S
    assert max(first) <= statistics.median(direct) + FROZEN_ADDED_S
    assert statistics.median(later) <= statistics.median(direct) + ADDED_S
    service.thaw()
    entered = notes_entered(pbx, [*channels, *later_channels])
    assert [decision.outcome for decision in entered] == [Outcome.FAILED] * 6
    assert notes_entered(pbx, unasked, within_s=0) == []
