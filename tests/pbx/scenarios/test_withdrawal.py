"""A withdrawal in the middle of a call: the recording ends at once, nothing of it is kept, and the call goes on.

Rule: whoever withdraws sounds another tone from the last digit on, or from the entry; the files are held open, so that
what was written can be looked at though they are gone.
"""

import asyncio
import os
import time
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asterisk_consent.calls.awaited import DROPPED
from asterisk_consent.ledger import RecordingRow, recordings, verify
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import RecordingState, Right
from asterisk_consent.prompts.line import line_directory
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Asking, Requests, Way
from tests.pbx import sound
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files
from tests.pbx.scenarios.exchange import CALLER_HZ, Caller, Exchange
from tests.pbx.service import Service
from tests.pbx.sip import Call
from tests.pbx.spoken import spoken

WITHDRAWN_HZ = 700
"""What the caller sounds from the moment on that the recording must end."""
STOPPED_S = 0.5
GONE_S = 2.0
TALKED_S = 5.0
CALL_S = 60.0

COMMAND = "a command"
OF_CALLER, OVER_AGI, OF_AGENT = "the caller's code", "the caller's code, over FastAGI", "the agent's code"
DIALLED = {COMMAND: "1001", OF_CALLER: "1001", OVER_AGI: "1011", OF_AGENT: "1003"}
TONE_HZ = 440
"""What tells the caller where the withdrawal line of the controller is not rendered, as that of 1003."""


@dataclass
class Withdrawn:
    """What was seen of one call; moments are ``time.monotonic()``."""

    caller: Caller
    agent: Call
    row: RecordingRow
    sides: dict[str, NDArray[np.int16]] = field(default_factory=dict)
    rate: int = 8000
    withdrawn_at: float = 0.0
    settled_s: float = 0.0
    lasted_s: float = 0.0
    agent_heard_s: float = 0.0

    def sounded_s(self, frequency: int) -> float:
        """How long the recording holds the caller sounding so."""
        spans = sound.tone_spans(self.sides["caller"], self.rate, frequency)
        return sum(end - start for start, end in spans)


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


def is_settled(pbx: DevelopmentPbx, call_id: str) -> bool:
    asked = standing_of(pbx.settings.data / "ledger.sqlite", call_id).requests
    return bool(asked) and all(each.settled_seq for each in asked)


async def talk(exchange: Exchange, dialled: str) -> Withdrawn:
    """Have a recorded conversation for a while."""
    caller = await exchange.connect(dialled)
    if dialled == "1003":
        await caller.wait_for_silence(0.0)
    else:
        await caller.wait_for_question()
        await caller.press("1")
    agent = await caller.reach_agent()
    await asyncio.sleep(TALKED_S)
    return Withdrawn(caller=caller, agent=agent, row=row_of(exchange.pbx, caller.channel))


async def dial(code: str, call: Call) -> None:
    """Dial as somebody does who takes their time."""
    for digit in code:
        await asyncio.sleep(0.5)
        await call.digit(digit)


async def withdraw(found: Withdrawn, way: str, pbx: DevelopmentPbx) -> None:
    """Withdraw; from the end of it the caller sounds what may not be recorded."""
    if way == COMMAND:
        asking = Asking(
            right=Right.WITHDRAWAL,
            asked_by="the caller",
            identified_by="by the agent on the line",
            person="test",
        )
        await asyncio.to_thread(requests_of(pbx).enter, asking, found.row.call_id)
    elif way == OF_AGENT:
        await dial("*8", found.agent)
    else:
        await dial("*9", found.caller.call)
    found.withdrawn_at = time.monotonic()
    found.caller.call.tone(WITHDRAWN_HZ)


async def withdraw_in_the_middle(exchange: Exchange, way: str) -> Withdrawn:
    """Agree, talk, withdraw; stay on the line until the call has lasted a minute."""
    pbx = exchange.pbx
    found = await talk(exchange, DIALLED[way])
    paths = [pbx.settings.spool / f"{found.row.recording_id}-{side}.wav" for side in ("caller", "agent")]
    with held_open(paths) as opened:
        await withdraw(found, way, pbx)
        while not is_settled(pbx, found.row.call_id):
            await asyncio.sleep(0.02)
            assert time.monotonic() < found.withdrawn_at + 10 * GONE_S, "it was never carried out"
        found.settled_s = time.monotonic() - found.withdrawn_at
        if way == OF_AGENT:
            await found.caller.call.heard(TONE_HZ, within_s=2.0, since=found.withdrawn_at - 0.5)
        await found.caller.wait(CALL_S)
        found.lasted_s = time.monotonic() - found.caller.call.answered_at
        since = time.monotonic() - 1.0
        found.agent_heard_s = await found.agent.heard(WITHDRAWN_HZ, within_s=1.0, since=since) - since
        await found.caller.hang_up()
        for side, descriptor in zip(("caller", "agent"), opened, strict=True):
            with os.fdopen(os.dup(descriptor), "rb") as file, wave.open(file) as read:
                found.rate = read.getframerate()
                found.sides[side] = np.frombuffer(read.readframes(read.getnframes()), dtype="<i2")
    return found


@pytest.fixture(scope="module")
def withdrawn(running_pbx: DevelopmentPbx) -> Mapping[str, Withdrawn]:
    """A call of a minute for each way to withdraw, side by side."""

    async def scenario() -> list[Withdrawn]:
        async with Exchange(running_pbx) as exchange:
            return await asyncio.gather(*(withdraw_in_the_middle(exchange, way) for way in DIALLED))

    return dict(zip(DIALLED, asyncio.run(scenario()), strict=True))


@pytest.mark.parametrize("way", DIALLED)
def test_a_withdrawal_ends_the_recording_at_once_and_the_call_goes_on(
    withdrawn: Mapping[str, Withdrawn], way: str
) -> None:
    found = withdrawn[way]
    assert found.sounded_s(CALLER_HZ) >= TALKED_S - 1.0
    assert found.sounded_s(WITHDRAWN_HZ) <= STOPPED_S
    assert found.settled_s <= GONE_S
    assert found.lasted_s >= CALL_S - 0.5
    assert found.agent_heard_s <= 1.0


@pytest.mark.parametrize("way", DIALLED)
def test_nothing_of_a_withdrawn_recording_is_left(
    pbx: DevelopmentPbx, withdrawn: Mapping[str, Withdrawn], way: str
) -> None:
    assert_nothing_is_left(pbx, withdrawn[way])


@pytest.mark.parametrize("way", [OF_CALLER, OVER_AGI, OF_AGENT])
def test_a_code_is_entered_as_such(pbx: DevelopmentPbx, withdrawn: Mapping[str, Withdrawn], way: str) -> None:
    found = withdrawn[way]
    (request,) = standing_of(pbx.settings.data / "ledger.sqlite", found.row.call_id).requests
    assert (request.right, request.way) == (Right.WITHDRAWAL, Way.CODE)


@pytest.mark.parametrize("way", [OF_CALLER, OVER_AGI])
def test_the_effect_of_a_code_is_told_in_the_language_of_the_call(
    pbx: DevelopmentPbx, withdrawn: Mapping[str, Withdrawn], way: str
) -> None:
    found = withdrawn[way]
    said = Path(line_directory(pbx.settings.prompts, "voorbeeld")) / "nl" / "pending.wav"
    heard = spoken(found.caller.call.stream.received_in_step, said)
    assert heard.in_full
    assert heard.began_at - found.withdrawn_at <= 1.0


def assert_nothing_is_left(pbx: DevelopmentPbx, found: Withdrawn) -> None:
    settings, recording_id = pbx.settings, found.row.recording_id
    row = row_of(pbx, found.caller.channel)
    # It ended a moment before the service knew of the code, or after: then it was sealed, and erased at once.
    assert row.erased_seq or (row.state, row.reason) == (RecordingState.FAILED, DROPPED)
    left = list_files(settings.spool) | list_files(settings.data / "vault")
    assert not any(recording_id in name for name in left)
    assert not list(settings.keys.rglob(f"{found.row.call_id}.audio.age*"))
    assert verify(settings.data / "ledger.sqlite").problem is None


def test_a_code_ends_the_recording_also_while_the_service_is_gone_which_erases_it_when_it_is_back(
    pbx: DevelopmentPbx, service: Service
) -> None:
    async def scenario() -> Withdrawn:
        async with Exchange(pbx) as exchange:
            found = await talk(exchange, "1001")
            await asyncio.to_thread(service.kill)
            path = pbx.settings.spool / f"{found.row.recording_id}-caller.wav"
            await dial("*9", found.caller.call)
            found.withdrawn_at = time.monotonic()
            found.caller.call.tone(WITHDRAWN_HZ)
            await asyncio.sleep(3.0)
            assert not found.caller.call.ended.is_set()
            await found.caller.hang_up()
            await asyncio.sleep(0.5)  # by then Asterisk has closed the file, if it had not before
            with wave.open(str(path)) as read:
                found.rate = read.getframerate()
                found.sides["caller"] = np.frombuffer(read.readframes(read.getnframes()), dtype="<i2")
            return found

    found = asyncio.run(scenario())
    assert found.sounded_s(CALLER_HZ) >= TALKED_S - 1.0
    assert found.sounded_s(WITHDRAWN_HZ) <= STOPPED_S
    service.start()
    end = time.monotonic() + 30.0
    while not is_settled(pbx, found.row.call_id):
        assert time.monotonic() < end, "it was never carried out"
        time.sleep(0.1)
    assert_nothing_is_left(pbx, found)
