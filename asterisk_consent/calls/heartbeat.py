"""Tells Asterisk every second that calls can be asked, while that is true.

Rule: the heartbeat is renewed only while the service can ask (ARI and its prompts are there) *and* write (a durable
write just worked, and there is room). The dialplan lets calls pass at once when it is older than three seconds: a
full disk or a lost connection costs no call more than that.

Also brings in the notes that the dialplan left of calls which passed while nobody answered, so that the ledger
tells what became of every call.
"""

import asyncio
import os
import shutil
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from asterisk_consent.calls.announced import Policies
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.errors import LedgerError, PbxError
from asterisk_consent.ledger.entry import SYSTEM_STREAM, NewEntry, decision_kind
from asterisk_consent.ledger.payload import decision_payload
from asterisk_consent.model import Direction, Outcome
from asterisk_consent.pbx.ari import AriClient

log = structlog.get_logger(__name__)

INTERVAL_S = 1.0
MAX_NOTES = 1000
"""The dialplan keeps no more; see ``dialplan/asterisk-consent.conf``."""
NOTES_PER_BEAT = 50
"""One request each: reading more at once would let the heartbeat itself grow old."""

_REASONS = {
    "away": "the service was away",
    "escaped": "the service did not answer in time",
    "unasked": "let go without an answer",
}


class ProbedLedger(Protocol):
    """What the heartbeat needs of the ledger."""

    async def append(self, entry: NewEntry) -> object:
        """Commit the entry durably."""
        ...

    async def probe(self) -> None:
        """Return if a durable write works now; ``LedgerError`` otherwise."""
        ...


class Heartbeat:
    """Renews ``CONSENT_HEARTBEAT``.

    :param places: spool, vault and keys; where one cannot be written, or has less than ``min_free_bytes`` free, no
        call is asked.
    :param guarded: tells whether a recording that somebody else joins would be stopped.
    :param bypass: the file whose presence means that calls shall pass; Asterisk forgets it at a restart.
    :param new_call_id: a fresh call id for a call that passed.
    """

    def __init__(
        self,
        *,
        ari: AriClient,
        switchboard: Switchboard,
        policies: Policies,
        ledger: ProbedLedger,
        places: tuple[Path, ...],
        guarded: Callable[[], bool],
        min_free_bytes: int,
        bypass: Path,
        now: Callable[[], int],
        new_call_id: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ari = ari
        self._switchboard = switchboard
        self._policies = policies
        self._ledger = ledger
        self._places = places
        self._guarded = guarded
        self._min_free_bytes = min_free_bytes
        self._bypass = bypass
        self._now = now
        self._new_call_id = new_call_id
        self._sleep = sleep
        self._notes: deque[tuple[str, str]] = deque()
        self._notes_read = 0
        self.healthy = False
        self.left_alone = 0
        """How many calls were none of ours since Asterisk started."""
        self._fault = "starting"

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await self._sleep(INTERVAL_S)

    async def beat(self) -> None:
        """Renew the heartbeat if calls can be asked, and say once when that changes."""
        fault = await self._find_fault()
        if not fault:
            try:
                # Every time: a reload of the dialplan may have cleared it.
                await self._ari.set_global("CONSENT_BYPASS", "1" if self._bypass.exists() else "")
                await self._ari.set_global("CONSENT_OFF", "|".join(self._policies.left_alone()))
                await self._ari.set_global("CONSENT_CODES", "|".join(self._policies.codes()))
                await self._ari.set_global("CONSENT_HEARTBEAT", str(self._now()))
                self.left_alone = _whole(await self._ari.get_global("CONSENT_OFF_CALLS"))
                await self._bring_in_notes()
            except (PbxError, LedgerError) as error:
                fault = str(error)
        if fault != self._fault:
            self._fault = fault
            if fault:
                log.error("heartbeat.stopped", fault=fault, effect="calls pass unrecorded")
            else:
                log.info("heartbeat.running")
        self.healthy = not fault

    async def end(self) -> None:
        """Take the heartbeat back, so that calls pass at once; it is not ours once another service took over."""
        if self._switchboard.was_replaced:
            return
        try:
            await self._ari.set_global("CONSENT_HEARTBEAT", "0")
        except PbxError as error:
            log.warning("heartbeat.not_ended", error=str(error))

    async def _find_fault(self) -> str:
        if not self._switchboard.acting:
            return "not connected to Asterisk"
        if not self._guarded():
            return "not connected to AMI: nobody would stop a recording that somebody else joins"
        for place in self._places:
            try:
                free = shutil.disk_usage(place).free
            except OSError as error:
                return f"{place}: {error.strerror}"
            if not os.access(place, os.W_OK | os.X_OK):
                return f"{place}: cannot be written"
            if free < self._min_free_bytes:
                return f"{place}: only {free >> 20} MiB free"
        try:
            await self._ledger.probe()
        except LedgerError as error:
            return str(error)
        return ""

    async def _bring_in_notes(self) -> None:
        """Read some of the notes, then enter them; what could not be entered is tried again at the next beat."""
        count = _whole(await self._ari.get_global("CONSENT_NOTES"))
        kept = min(count, MAX_NOTES)
        if kept < self._notes_read:
            self._notes_read = 0
        for number in range(self._notes_read + 1, min(kept, self._notes_read + NOTES_PER_BEAT) + 1):
            note = await self._ari.get_global(f"CONSENT_NOTE_{number}")
            self._notes.append((self._new_call_id(), note))
            self._notes_read = number
        if kept and self._notes_read == kept:
            await self._ari.set_global("CONSENT_NOTES", "")
            self._notes_read = 0
            if count > MAX_NOTES:
                log.error("heartbeat.notes_lost", count=count - MAX_NOTES)
        while self._notes:
            await self._enter(*self._notes[0])
            self._notes.popleft()

    async def _enter(self, call_id: str, note: str) -> None:
        """Enter a call that passed, unless a session of ours enters it, or it was none of ours."""
        at, kind, channel, policy, dialled = [*note.split(",", 4), *[""] * 5][:5]
        if self._switchboard.has_asked(channel) or self._policies.find(policy).leaves_alone(dialled):
            return
        payload = decision_payload(
            outcome=Outcome.FAILED,
            started_at=_whole(at),
            direction=Direction.INCOMING,
            dialled=dialled,
            channel=channel,
            caller=None,
            caller_name=None,
            withheld=False,
            reason=_REASONS.get(kind, "passed"),
        )
        failed = decision_kind(Outcome.FAILED)
        await self._ledger.append(
            NewEntry(stream=SYSTEM_STREAM, kind=failed, call_id=call_id, policy=policy, payload=payload)
        )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
