"""A recorder between a spool, a vault, a ledger and an Asterisk of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from asterisk_consent.calls.awaited import Awaited
from asterisk_consent.calls.recorder import (
    GRACE_S,
    STARTS_TOGETHER_S,
    Recorder,
)
from asterisk_consent.errors import LedgerUnavailableError, PbxUnavailableError
from asterisk_consent.ledger.entry import Kind, NewEntry, decision_kind
from asterisk_consent.ledger.payload import decision_payload
from asterisk_consent.model import Direction, Outcome, RecordingId
from tests.calls.ledger import FakeLedger
from tests.calls.manual_clock import ManualClock
from tests.vault.keyring import give_keys
from tests.vault.tones import AGENT_HZ, CALLER_HZ, RECORDING, tone, write_side

CALL_ID = "0" * 31 + "1"
CHANNEL = "1800000000.1"
NOW = 1_800_000_123
SIDES = {"caller": tone(CALLER_HZ, 0.2), "agent": tone(AGENT_HZ, 0.2)}


class FakeCodes:
    """Withdraws what a test says."""

    def __init__(self) -> None:
        self.withdrawn: bool | None = False
        """Whether the audio of every call is to go; ``None`` while the ledger cannot tell."""
        self.taken: list[str] = []
        """The recordings that a code was dialled for, ``all`` for a look at the whole spool."""

    def drops(self, recording_id: RecordingId, call_id: str) -> bool:
        del recording_id, call_id
        if self.withdrawn is None:
            raise LedgerUnavailableError("the ledger cannot be read")
        return self.withdrawn

    def take(self, recording_id: RecordingId) -> None:
        self.taken.append(recording_id)
        if self.withdrawn is None:
            raise LedgerUnavailableError("the ledger cannot be read")

    def take_all(self) -> None:
        self.taken.append("all")


class Place:
    """A spool, a vault, a ledger, the channels that Asterisk has, and a recorder among them."""

    def __init__(self, directory: Path) -> None:
        self.spool = directory / "spool"
        self.vault = directory / "vault"
        self.spool.mkdir()
        self.keys = directory / "keys"
        self.vault.mkdir()
        self.keys.mkdir()
        give_keys("voorbeeld", self.keys)
        self.ledger = FakeLedger()
        self.clock = ManualClock()
        self.channels: set[str] | None = {CHANNEL}
        self.codes = FakeCodes()
        self.recorder = Recorder(
            spool=self.spool,
            vault=self.vault,
            keys=self.keys,
            ledger=self.ledger,
            channels=self._channels,
            monotonic_s=self.clock.monotonic_s,
            now=lambda: NOW,
            codes=self.codes,
            sleep=self.clock.sleep,
        )

    def allow(self, recording: RecordingId = RECORDING, *, hand_over: bool = True) -> None:
        """Let the decision be on disk, and the recorder know of it."""
        payload = decision_payload(
            outcome=Outcome.GIVEN,
            started_at=0,
            direction=Direction.INCOMING,
            dialled="1001",
            channel=CHANNEL,
            caller=None,
            caller_name=None,
            withheld=True,
            recording_id=recording,
        )
        kind = decision_kind(Outcome.GIVEN)
        self.ledger.entries.append(NewEntry(stream="voorbeeld", kind=kind, call_id=CALL_ID, payload=payload))
        if hand_over:
            self.recorder.expect(
                Awaited(recording_id=recording, call_id=CALL_ID, controller="voorbeeld", channel=CHANNEL)
            )

    def begin(self, side: str, recording: RecordingId = RECORDING) -> None:
        """Let Asterisk make the file of one side."""
        (self.spool / f"{recording}-{side}.wav").touch()
        self.recorder.take_file_event(f"{recording}-{side}.wav", created=True)

    def end(self, side: str, recording: RecordingId = RECORDING) -> None:
        """Let Asterisk close the file of one side."""
        write_side(self.spool, side, SIDES[side], recording)
        self.recorder.take_file_event(f"{recording}-{side}.wav", created=False)

    async def hang_up(self) -> None:
        """Let the call end, and the time pass after which nothing more can come."""
        self.channels = set()
        await self.recorder.sweep_once()
        await self.clock.advance(GRACE_S)
        await self.recorder.sweep_once()

    async def finish(self) -> None:
        """Let the starts be entered, and wait for the ends that are being worked on."""
        await self.clock.advance(0)
        await self.clock.advance(STARTS_TOGETHER_S)
        await self.recorder.close()

    @property
    def busy(self) -> bool:
        """Whether an end is being worked on."""
        return any(task.get_name() == "recorder" for task in asyncio.all_tasks())

    def ends(self) -> list[Kind]:
        """Return the ends that were entered."""
        return [entry.kind for entry in self.ledger.ends()]

    async def _channels(self) -> set[str]:
        if self.channels is None:
            raise PbxUnavailableError("no answer from Asterisk")
        return self.channels


async def until(condition: Callable[[], bool]) -> None:
    """Give way until the worker threads have brought this about."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a thread brings it about, there is no event to wait for
            await asyncio.sleep(0)
