"""One call: feeds the dialogue with events and carries out its commands. The only interpreter of them.

Rules: events are taken one at a time, in order; the recording is started by nothing but ``StartRecording``; every
request to let the call go on is made even when everything before it failed; whatever is raised here ends with the
call released, unrecorded.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from asterisk_consent.calls.announced import Announced, fault_of, script_of
from asterisk_consent.calls.arrival import NO_REGIONS, Arrival
from asterisk_consent.calls.call_file import CallFile
from asterisk_consent.calls.deciding import Appender, RecordingKeeper, enter_decision
from asterisk_consent.calls.held import HeldChannel
from asterisk_consent.calls.ways_out import CONTEXT, recording_extension, way_out
from asterisk_consent.dialogue.commands import (
    AppendEntry,
    CancelTimer,
    Command,
    EnterNotStarted,
    PlayPrompt,
    ReleaseCall,
    SetTimer,
    StartRecording,
    StopPrompt,
)
from asterisk_consent.dialogue.events import (
    CallArrived,
    CallerObjected,
    CallLeft,
    CallUnaskable,
    ChannelHungUp,
    DigitReceived,
    EntryCommitted,
    EntryFailed,
    Event,
    Part,
    PlaybackFailed,
    RecordingRefused,
    ServiceStopping,
    TimerFired,
)
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue, State
from asterisk_consent.errors import DialogueError, PbxError, PbxRefusedError
from asterisk_consent.ledger.entry import NewEntry, decision_kind
from asterisk_consent.model import Call, Outcome, RecordingId
from asterisk_consent.pbx.ari import AriClient, AriEvent
from asterisk_consent.policy import Policy

log = structlog.get_logger(__name__)

_OUTCOMES = {decision_kind(outcome): outcome for outcome in Outcome}


def _nobody(_call: Call, _policy: Policy) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all sessions share; ``region`` is where numbers without a country code belong, ``regions`` where by trunk.

    ``objects`` tells whether the caller is on the list of objections of the policy's controller.
    """

    ari: AriClient
    ledger: Appender
    recorder: RecordingKeeper
    region: str
    regions: Mapping[str, str] = field(default_factory=lambda: NO_REGIONS)
    objects: Callable[[Call, Policy], bool] = _nobody
    now_s: Callable[[], float] = time.time
    randomness: Callable[[int], bytes] = os.urandom


class Session:
    """The interpreter of one call."""

    def __init__(self, arrival: Arrival, announced: Announced, surroundings: Surroundings) -> None:
        self.call = arrival.call
        self.outcome: Outcome | None = None
        self._file = CallFile(
            arrival.call,
            announced=announced,
            region=surroundings.region,
            clock_s=asyncio.get_running_loop().time,
        )
        self._announced = announced
        self._held = HeldChannel(
            surroundings.ari, arrival.call.channel, call_id=arrival.call.call_id, limit_s=arrival.limit_s
        )
        self._ledger = surroundings.ledger
        self._recorder = surroundings.recorder
        self._recording_id = RecordingId(surroundings.randomness(16).hex())
        self._now_s = surroundings.now_s
        self._dialogue = Dialogue(script=script_of(announced.policy))
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._appending: asyncio.Task[None] | None = None
        self._start_in_doubt = False
        self._event_at_s = self._now_s()
        self.feed(opening(arrival.call, announced, surroundings.objects))

    def feed(self, event: Event) -> None:
        """Hand over an event; taken in order."""
        self._events.put_nowait(event)

    def feed_ari(self, event: AriEvent) -> None:
        """Hand over an ARI event of this call's channel or playback."""
        self._event_at_s = event.at_s or self._now_s()
        match event.type:
            case "ChannelDtmfReceived":
                self._file.note("digit", event.digit)
                self.feed(DigitReceived(event.digit))
            case "ChannelHangupRequest" | "ChannelDestroyed":
                self.feed(ChannelHungUp())
            case "StasisEnd":
                self.feed(CallLeft())
            case _:
                translated = self._held.playing.take(event)
                if translated is not None:
                    self.feed(translated)

    async def silence(self) -> None:
        """Stop whatever an earlier run of the service still plays to this call: every request waits for its end."""
        await self._held.silence()

    async def run(self) -> None:
        """Have the conversation; return when the call is no longer ours and its decision is settled."""
        try:
            while self._dialogue.state is not State.GONE:
                await self._take(await self._events.get())
        except Exception:
            log.exception("session.failed", call_id=self.call.call_id)
            await self._held.stop_now(self._event_at_s)
            await self._release(Outcome.FAILED)
            await self._enter_fault()
        finally:
            self._held.cancel_all()

    async def _enter_fault(self) -> None:
        """Enter that the call was let go over an error, unless its decision is on its way."""
        if self._appending is None:
            await self._append(self._entry(Outcome.FAILED, "", "an error of the service"))
        else:
            await self._appending

    async def _take(self, event: Event) -> None:
        if isinstance(event, TimerFired | ServiceStopping):
            self._event_at_s = self._now_s()
        before = self._dialogue.state
        try:
            self._dialogue, commands = step(self._dialogue, event)
        except DialogueError as error:
            log.warning("session.unexpected", call_id=self.call.call_id, error=str(error))
            return
        if self._dialogue.state is not before:
            self._file.note(self._dialogue.state, type(event).__name__)
        for command in commands:
            await self._carry_out(command)

    async def _carry_out(self, command: Command) -> None:
        match command:
            case PlayPrompt(play, parts, language):
                await self._play(play, parts, language)
            case StopPrompt():
                self._held.stop(self._event_at_s)
            case SetTimer(timer, seconds):
                self._held.set_timer(timer, seconds, partial(self.feed, TimerFired(timer)))
            case CancelTimer(timer):
                self._held.cancel(timer)
            case AppendEntry(outcome, digit, reason):
                entry = self._entry(outcome, digit, reason)
                self._appending = asyncio.create_task(self._append(entry), name="append-decision")
            case StartRecording():
                await self._start_recording()
            case ReleaseCall(outcome):
                await self._release(outcome)
            case EnterNotStarted(reason):
                self._recorder.end_unstarted(self._recording_id, reason)

    async def _play(self, play: int, parts: tuple[Part, ...], language: str) -> None:
        files = self._announced.files(parts, language, receipt=self.call.receipt)
        if not await self._held.play(play, files, first_digit_s=self._dialogue.script.first_digit_s):
            self.feed(PlaybackFailed(play, "Asterisk did not take the announcement"))

    async def _append(self, entry: NewEntry) -> None:
        entered = await enter_decision(
            entry, channel=self.call.channel, ledger=self._ledger, recorder=self._recorder
        )
        if entered:
            self.outcome = _OUTCOMES[entry.kind]
        self.feed(EntryCommitted() if entered else EntryFailed())

    async def _start_recording(self) -> None:
        await self._held.settle_stop()
        try:
            extension = recording_extension(self._recording_id, self._dialogue)
            await self._held.channel.continue_in_dialplan(context=CONTEXT, extension=extension)
        except PbxRefusedError as error:
            # A start that nobody answered may have been carried out: then the call has left for its recording.
            refused = RecordingRefused(f"the call had left or ended ({error.status})")
            self.feed(CallLeft() if self._start_in_doubt else refused)
        except PbxError as error:
            self._start_in_doubt = True
            log.warning("session.start_unknown", call_id=self.call.call_id, error=str(error))

    async def _release(self, outcome: Outcome) -> None:
        await self._held.let_go(context=CONTEXT, extension=way_out(outcome, self._dialogue.language))

    def _entry(self, outcome: Outcome, digit: str, reason: str) -> NewEntry:
        return self._file.entry(
            outcome,
            language=self._dialogue.language,
            digit=digit,
            reason=reason,
            played_ms=self._held.playing.played_ms(self._event_at_s),
            recording_id=self._recording_id,
        )


def opening(call: Call, announced: Announced, objects: Callable[[Call, Policy], bool] = _nobody) -> Event:
    """Return the event that begins the dialogue with a call: in its language, or with why it is not asked."""
    fault = fault_of(announced, call.direction)
    if fault or announced.policy is None:
        return CallUnaskable(fault)
    if announced.policy.takes_refusal and objects(call, announced.policy):
        return CallerObjected()
    return CallArrived(announced.policy.language_of(dialled=call.dialled, channel_language=call.language))
