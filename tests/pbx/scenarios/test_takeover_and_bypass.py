"""Who may ask: one service per Asterisk, and nobody while the bypass is on."""

import asyncio
import time
from pathlib import Path

from asterisk_consent.ledger import Kind
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.beside import BesideService
from tests.pbx.scenarios.evidence import read_entries
from tests.pbx.scenarios.exchange import Exchange
from tests.pbx.scenarios.test_service_away import ASKED, ring_delays
from tests.pbx.service import Service


def test_a_service_whose_name_is_taken_ends_itself_and_says_so(
    pbx: DevelopmentPbx, service: Service, exports: Path
) -> None:
    with BesideService(pbx, exports / "ledger.sqlite") as beside:
        give_up_at = time.monotonic() + 15.0
        while service.is_running():
            assert time.monotonic() < give_up_at, service.program.log_tail()
            time.sleep(0.1)
        beside.wait_until_asking()
        assert "another service took the name" in service.program.log_tail()


def test_the_bypass_lets_calls_pass_at_once_and_back(pbx: DevelopmentPbx, service: Service) -> None:
    try:
        pbx.consent("bypass", "on", "--reason", "a test of the way past")
        assert "on" in pbx.consent("bypass", "status")
        direct, _ = asyncio.run(ring_delays(pbx, "112", "112"))
        passing, channels = asyncio.run(ring_delays(pbx, *ASKED))
    finally:
        pbx.consent("bypass", "off", "--reason", "the test is over")
    assert min(passing) <= min(direct) + 0.2
    assert asyncio.run(is_asked(pbx))
    entries = read_entries(pbx.settings)
    assert [entries.decisions(channel) for channel in channels] == [[]] * len(channels)
    switched = [kind for kind in entries.kinds() if kind in (Kind.BYPASS_ON, Kind.BYPASS_OFF)]
    assert switched[-2:] == [Kind.BYPASS_ON, Kind.BYPASS_OFF]


async def is_asked(pbx: DevelopmentPbx) -> bool:
    """Call, and tell whether the announcement comes instead of the agent."""
    async with Exchange(pbx) as exchange:
        caller = await exchange.connect("1001")
        await asyncio.sleep(1.0)
        asked = not exchange.desk.rang_at
        await caller.hang_up()
        return asked
