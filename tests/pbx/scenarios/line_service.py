"""A withdrawal line beside no service: the real session on the real Asterisk, with a desk for the tests behind it.

Rule: the service is stopped meanwhile, since only one program may have the application's name; what the line says is
what the service would say, from the same files.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asterisk_consent.calls.announced import Policies
from asterisk_consent.calls.arrival import APP
from asterisk_consent.calls.attempts import AttemptLimits, Attempts
from asterisk_consent.calls.session import Surroundings
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.calls.withdrawal_desk import WithdrawalDesk
from asterisk_consent.calls.withdrawal_line import Lines, load_lines
from asterisk_consent.calls.withdrawal_session import Withdrawals
from asterisk_consent.config import load_config, load_policies
from asterisk_consent.pbx.ari import AriClient
from tests.calls.ledger import FakeLedger
from tests.calls.service import FakeRecorder
from tests.pbx.development import DevelopmentPbx
from tests.pbx.service import HEARTBEAT

READY_WITHIN_S = 10.0


@asynccontextmanager
async def line_service(pbx: DevelopmentPbx, desk: WithdrawalDesk) -> AsyncIterator[Switchboard]:
    """Answer the withdrawal lines while the block runs."""
    config = load_config(pbx.settings.config_file)
    lines = Lines(load_lines(load_policies(config.policies), config))
    attempts = Attempts(AttemptLimits(), key=os.urandom(32), clock_s=time.monotonic)
    async with AriClient(
        url=config.ari.url, username=config.ari.user, password=config.ari.password, app=APP
    ) as ari:
        surroundings = Surroundings(ari=ari, ledger=FakeLedger(), recorder=FakeRecorder(), region="NL")
        withdrawals = Withdrawals(lines=lines, desk=desk, attempts=attempts, region="NL")
        switchboard = Switchboard(Policies({}), surroundings, withdrawals)
        answers = asyncio.Event()
        tasks = [
            asyncio.create_task(ari.run(switchboard), name="ari"),
            asyncio.create_task(_beat(ari, switchboard, answers), name="heartbeat"),
        ]
        try:
            await asyncio.wait_for(answers.wait(), READY_WITHIN_S)
            yield switchboard
        finally:
            await switchboard.stop()
            await ari.set_global(HEARTBEAT, "0")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _beat(ari: AriClient, switchboard: Switchboard, answers: asyncio.Event) -> None:
    while True:
        if switchboard.acting:
            await ari.set_global(HEARTBEAT, str(int(time.time())))
            answers.set()
        await asyncio.sleep(0.5)
