"""A withdrawal in the middle of a call: the recording ends at once, nothing of it is kept, and the call goes on."""

import asyncio
import os
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.ledger import RecordingRow, recordings, verify
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import RecordingState, Right
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Asking, Requests
from tests.pbx import sound
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files
from tests.pbx.scenarios.exchange import CALLER_HZ, Caller, Exchange
from tests.pbx.service import Service

WITHDRAWN_HZ = 700
"""What the caller sounds from the moment on that the withdrawal is entered."""
STOPPED_S = 0.5
GONE_S = 2.0
TALKED_S = 5.0
CALL_S = 60.0


@dataclass
class Withdrawn:
    """What was seen of one call."""

    caller: Caller
    row: RecordingRow
    sides: dict[str, NDArray[np.int16]] = field(default_factory=dict)
    rate: int = 8000
    settled_s: float = 0.0
    lasted_s: float = 0.0
    agent_heard_s: float = 0.0


@contextmanager
def held_open(paths: list[Path]) -> Iterator[list[int]]:
    """Keep files that will be removed, so that what was written to them can be looked at."""
    opened = [os.open(path, os.O_RDONLY) for path in paths]
    try:
        yield opened
    finally:
        for each in opened:
            os.close(each)


def row_of(pbx: DevelopmentPbx, channel: str) -> RecordingRow:
    found = [row for row in recordings(pbx.settings.data / "ledger.sqlite") if row.channel == channel]
    assert len(found) == 1
    return found[0]


def requests_of(pbx: DevelopmentPbx) -> Requests:
    data = pbx.settings.data
    held = Holdings(
        ledger=data / "ledger.sqlite",
        spool=pbx.settings.spool,
        vault=data / "vault",
        keys=pbx.settings.keys,
    )
    return Requests(held=held)


async def withdraw_in_the_middle(pbx: DevelopmentPbx) -> Withdrawn:
    """Agree, talk, withdraw; stay on the line until the call has lasted a minute."""
    requests = requests_of(pbx)
    asking = Asking(
        right=Right.WITHDRAWAL, asked_by="the caller", identified_by="by the agent on the line", person="test"
    )
    async with Exchange(pbx) as exchange:
        caller = await exchange.connect("1001")
        await caller.wait_for_question()
        await caller.press("1")
        agent = await caller.reach_agent()
        await asyncio.sleep(TALKED_S)
        found = Withdrawn(caller=caller, row=row_of(pbx, caller.channel))
        paths = [pbx.settings.spool / f"{found.row.recording_id}-{side}.wav" for side in ("caller", "agent")]
        with held_open(paths) as opened:
            await asyncio.to_thread(requests.enter, asking, found.row.call_id)
            entered_at = time.monotonic()
            caller.call.tone(WITHDRAWN_HZ)
            while not all(
                each.settled_seq for each in standing_of(requests.held.ledger, found.row.call_id).requests
            ):
                await asyncio.sleep(0.02)
                assert time.monotonic() < entered_at + 10 * GONE_S, "it was never carried out"
            found.settled_s = time.monotonic() - entered_at
            await caller.wait(CALL_S)
            found.lasted_s = time.monotonic() - caller.call.answered_at
            since = entered_at + STOPPED_S
            found.agent_heard_s = await agent.heard(WITHDRAWN_HZ, within_s=1.0, since=since) - since
            await caller.hang_up()
            for side, descriptor in zip(("caller", "agent"), opened, strict=True):
                with os.fdopen(os.dup(descriptor), "rb") as file, wave.open(file) as read:
                    found.rate = read.getframerate()
                    found.sides[side] = np.frombuffer(read.readframes(read.getnframes()), dtype="<i2")
    return found


def test_a_withdrawal_ends_the_recording_at_once_and_the_call_goes_on(
    pbx: DevelopmentPbx, service: Service
) -> None:
    assert service.is_running()
    found = asyncio.run(withdraw_in_the_middle(pbx))

    said = found.sides["caller"]
    assert sum(end - start for start, end in sound.tone_spans(said, found.rate, CALLER_HZ)) >= TALKED_S - 1.0
    after = sum(end - start for start, end in sound.tone_spans(said, found.rate, WITHDRAWN_HZ))
    assert after <= STOPPED_S
    assert found.settled_s <= GONE_S
    assert found.lasted_s >= CALL_S - 0.5
    assert found.agent_heard_s <= 1.0

    settings, recording_id = pbx.settings, found.row.recording_id
    row = row_of(pbx, found.caller.channel)
    assert (row.state, row.reason, row.sha256) == (
        RecordingState.FAILED,
        "withdrawn while it was recorded",
        "",
    )
    left = list_files(settings.spool) | list_files(settings.data / "vault")
    assert not any(recording_id in name for name in left)
    assert not list(settings.keys.rglob(f"{found.row.call_id}.audio.age*"))
    assert verify(settings.data / "ledger.sqlite").problem is None
