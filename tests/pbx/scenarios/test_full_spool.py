"""A spool in memory that fills up in the middle of a call: the call goes on, and what there is gets out of it."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk_consent.calls.awaited import NO_ROOM
from asterisk_consent.ledger import Kind
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files, open_recordings, read_entries
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.service import Service
from tests.pbx.settings import ASTERISK_UID, SPOOL_GID

SPOOL_BYTES = 192 << 20
TALKED_BEFORE_S = 5.0
TALKED_FULL_S = 5.0
ENDS_WITHIN_S = 60.0
FULL = "full"


@pytest.fixture
def spool_in_memory(pbx: DevelopmentPbx, service: Service) -> Iterator[Path]:
    """The spool as a tmpfs, as the docs say, and a service that watches it."""
    spool = pbx.settings.spool
    service.stop()
    options = f"size={SPOOL_BYTES},mode=2770,uid={ASTERISK_UID},gid={SPOOL_GID}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(spool)], check=True)
    service.start()
    yield spool
    service.stop()
    subprocess.run(["umount", "--lazy", str(spool)], check=True)


def test_a_spool_that_fills_up_costs_the_recording_not_the_call_and_empties_itself(
    pbx: DevelopmentPbx, spool_in_memory: Path
) -> None:
    async def scenario() -> Caller:
        async with Exchange(pbx) as exchange:
            caller = await exchange.connect("1001")
            await caller.wait_for_question()
            await caller.press("1")
            await caller.reach_agent()
            await asyncio.sleep(TALKED_BEFORE_S)
            with (spool_in_memory / FULL).open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(spool_in_memory).free)
            await asyncio.sleep(TALKED_FULL_S)
            await caller.hang_up()
            return caller

    caller = asyncio.run(scenario())
    give_up_at = time.monotonic() + ENDS_WITHIN_S
    while open_recordings(pbx.settings) or list_files(spool_in_memory) != {FULL}:
        assert time.monotonic() < give_up_at, list_files(spool_in_memory)
        time.sleep(0.2)

    entries = read_entries(pbx.settings)
    kind, recording = entries.end(entries.decision(caller.channel).recording_id)
    assert kind is Kind.RECORDING_FAILED
    assert recording.reason.startswith(NO_ROOM)
    assert 2000 <= recording.duration_ms <= 1000 * (TALKED_BEFORE_S + TALKED_FULL_S + 1.0)
    assert f"{recording.recording_id}.flac.age" in list_files(pbx.settings.data / "vault")
    (spool_in_memory / FULL).unlink()
