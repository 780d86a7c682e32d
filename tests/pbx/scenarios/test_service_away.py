"""A service that is away before a call: stopped, killed or frozen costs the caller next to nothing."""

import asyncio
import statistics
import time

import pytest

from asterisk_consent.ledger import Decision
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import read_entries
from tests.pbx.scenarios.exchange import Exchange
from tests.pbx.service import Service

HEARTBEAT_LIFE_S = 3.0
ADDED_S = 0.2
FROZEN_ADDED_S = 3.0


async def ring_delays(pbx: DevelopmentPbx, dialled: str, *, calls: int = 3) -> tuple[list[float], list[str]]:
    """Call so often, one call after the other; return seconds until the agent's phone rang, and the channels."""
    delays, channels = [], []
    async with Exchange(pbx) as exchange:
        for _ in range(calls):
            caller = exchange.dial(dialled)
            await caller.connected()
            await caller.reach_agent()
            delays.append(caller.rang_at - caller.call.placed_at)
            channels.append(caller.channel)
            await caller.hang_up()
    return delays, channels


def notes_entered(pbx: DevelopmentPbx, channels: list[str], *, within_s: float = 5.0) -> list[Decision]:
    """Wait for the entries of calls that passed while nobody answered."""
    give_up_at = time.monotonic() + within_s
    while True:
        entries = read_entries(pbx.settings)
        found = [decision for channel in channels for decision in entries.decisions(channel)]
        if len(found) >= len(channels) or time.monotonic() > give_up_at:
            return found
        time.sleep(0.2)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_service_that_is_gone_costs_a_call_next_to_nothing(
    pbx: DevelopmentPbx, service: Service, how: str
) -> None:
    direct, _ = asyncio.run(ring_delays(pbx, "112"))
    if how == "stopped":
        service.stop()
    else:
        service.kill()
        time.sleep(HEARTBEAT_LIFE_S + 1.1)
    passing, channels = asyncio.run(ring_delays(pbx, "1001"))
    assert statistics.median(passing) <= statistics.median(direct) + ADDED_S
    service.start()
    entered = notes_entered(pbx, channels)
    assert [(decision.outcome, decision.reason) for decision in entered] == [
        (Outcome.FAILED, "the service was away")
    ] * len(channels)


def test_a_frozen_service_costs_the_next_call_three_seconds_and_later_ones_nothing(
    pbx: DevelopmentPbx, service: Service
) -> None:
    direct, _ = asyncio.run(ring_delays(pbx, "112"))
    service.freeze()
    frozen_at = time.monotonic()
    emergency, unasked = asyncio.run(ring_delays(pbx, "112"))
    first, channels = asyncio.run(ring_delays(pbx, "1001", calls=1))
    time.sleep(max(0.0, frozen_at + HEARTBEAT_LIFE_S + 1.1 - time.monotonic()))
    later, later_channels = asyncio.run(ring_delays(pbx, "1001"))
    assert statistics.median(emergency) <= statistics.median(direct) + ADDED_S
    assert first[0] <= statistics.median(direct) + FROZEN_ADDED_S
    assert statistics.median(later) <= statistics.median(direct) + ADDED_S
    service.thaw()
    entered = notes_entered(pbx, [*channels, *later_channels])
    assert [decision.outcome for decision in entered] == [Outcome.FAILED] * 4
    assert notes_entered(pbx, unasked, within_s=0) == []
