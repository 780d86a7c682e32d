"""A ledger, a spool or keys that cannot be written: the call goes on unrecorded, and the next one is as before."""

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk_consent.ledger import Kind
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.beside import BesideService
from tests.pbx.scenarios.evidence import read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.test_service_away import ASKED, ring_delays
from tests.pbx.service import HEARTBEAT, Service
from tests.pbx.settings import SERVICE_UID

RELEASED_WITHIN_S = 2.5
HEARTBEAT_LIFE_S = 3.0
FILESYSTEM_BYTES = 128 << 20
ROOM_TAKEN_BYTES = 100 << 20


def test_a_locked_ledger_and_a_closed_spool_cost_only_the_recording(
    pbx: DevelopmentPbx, service: Service
) -> None:
    """Three callers agree in turn: while a shell holds the ledger, while the spool is closed, and after both."""
    ledger, spool = pbx.settings.data / "ledger.sqlite", pbx.settings.spool

    async def scenario() -> list[Caller]:
        async with Exchange(pbx) as exchange:
            callers = await asyncio.gather(*(exchange.connect("1001") for _ in range(3)))
            locked_out, spool_closed, lucky = callers
            await locked_out.wait_for_question(0.5)
            shell = sqlite3.connect(ledger, isolation_level=None)
            shell.execute("BEGIN IMMEDIATE")
            await locked_out.press("1")
            await locked_out.reach_agent(within_s=RELEASED_WITHIN_S + 1.0)
            shell.execute("ROLLBACK")
            shell.close()
            await asyncio.sleep(0.3)
            mode = spool.stat().st_mode & 0o7777
            spool.chmod(0o500)
            try:
                await spool_closed.press("1")
                await spool_closed.reach_agent()
                await asyncio.sleep(1.0)
            finally:
                spool.chmod(mode)
            await lucky.press("1")
            await lucky.reach_agent()
            await asyncio.sleep(1.5)
            await asyncio.gather(*(caller.hang_up() for caller in callers))
            return callers

    locked_out, spool_closed, lucky = asyncio.run(scenario())
    assert locked_out.rang_at - locked_out.pressed_at <= RELEASED_WITHIN_S
    wait_for_ends(pbx.settings)
    entries = read_entries(pbx.settings)
    ends = [
        [entries.end(decision.recording_id)[0] for decision in entries.decisions(caller.channel)]
        for caller in (locked_out, spool_closed, lucky)
    ]
    assert ends[0] in ([], [Kind.RECORDING_NOT_STARTED])
    assert ends[1:] == [[Kind.RECORDING_NOT_STARTED], [Kind.RECORDING_VERIFIED]]


@pytest.fixture
def small_disk(pbx: DevelopmentPbx) -> Iterator[Path]:
    """A file system with room for little more than a ledger."""
    place = pbx.settings.home / "small-disk"
    place.mkdir(exist_ok=True)
    options = f"size={FILESYSTEM_BYTES},mode=755,uid={SERVICE_UID},gid={SERVICE_UID}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def test_calls_pass_at_once_while_the_ledgers_disk_is_full(
    pbx: DevelopmentPbx, service: Service, small_disk: Path
) -> None:
    service.stop()
    with BesideService(pbx, small_disk / "ledger.sqlite") as beside:
        beside.wait_until_asking()
        full = small_disk / "full"
        with full.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_TAKEN_BYTES)
        time.sleep(HEARTBEAT_LIFE_S + 2.1)
        direct, _ = asyncio.run(ring_delays(pbx, "112", "112"))
        passing, _ = asyncio.run(ring_delays(pbx, *ASKED))
        assert min(passing) <= min(direct) + 0.2
        stopped_at = pbx.asterisk.global_variable(HEARTBEAT)
        full.unlink()
        beside.wait_until_asking()
        assert pbx.asterisk.global_variable(HEARTBEAT) > stopped_at
        assert "heartbeat.stopped" in beside.log_tail()


def test_calls_pass_at_once_while_the_keys_cannot_be_written(pbx: DevelopmentPbx, service: Service) -> None:
    keys = pbx.settings.keys
    mode = keys.stat().st_mode & 0o7777
    keys.chmod(0o550)
    try:
        time.sleep(HEARTBEAT_LIFE_S + 2.1)
        direct, _ = asyncio.run(ring_delays(pbx, "112", "112"))
        passing, _ = asyncio.run(ring_delays(pbx, *ASKED))
    finally:
        keys.chmod(mode)
    assert min(passing) <= min(direct) + 0.2
    assert f"{keys}: cannot be written" in service.program.log_tail()
    service.await_asking()
