"""One call over FastAGI: the same dialogue, for a PBX that does not want ARI.

AGI is one command at a time: a part is played until its end or a digit, then the dialogue is asked what that means.
A digit that changes nothing (an agreement before the information is over) lets the part go on where it stopped.
Rules as in ``session``: the recording starts after its entry is on disk and by nothing but ``StartRecording``; every
way out sends the call to an extension of ``[asterisk-consent]``.
"""

import asyncio
from collections import deque

import structlog

from asterisk_consent.calls.announced import Announced, Policies, Segment, script_of
from asterisk_consent.calls.arrival import Arrival, new_receipt, read_arrival
from asterisk_consent.calls.call_file import CallFile
from asterisk_consent.calls.deciding import enter_decision
from asterisk_consent.calls.playing import TOLERANCE_MS
from asterisk_consent.calls.session import Surroundings, opening
from asterisk_consent.calls.switchboard import Switchboard
from asterisk_consent.calls.ways_out import LEFT_ALONE, escape_s, recording_extension, way_out
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
    CallLeft,
    CallLost,
    ChannelHungUp,
    DigitReceived,
    EntryCommitted,
    EntryFailed,
    Event,
    Part,
    PartPlayed,
    PlaybackFailed,
    RecordingRefused,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Dialogue, State
from asterisk_consent.errors import DialogueError, PbxError, PbxRefusedError, PbxUnavailableError
from asterisk_consent.model import DIGITS, CallId, Outcome, RecordingId
from asterisk_consent.pbx.ari import CallerId, ChannelSnapshot
from asterisk_consent.pbx.fastagi import AgiChannel

log = structlog.get_logger(__name__)

SAMPLES_PER_MS = 8
"""AGI counts the position in a sound in samples at 8 kHz."""


class AgiSession:
    """The interpreter of one call that came over FastAGI."""

    def __init__(
        self, channel: AgiChannel, arrival: Arrival, announced: Announced, surroundings: Surroundings
    ) -> None:
        self.outcome: Outcome | None = None
        self._agi = channel
        self._call = arrival.call
        self._announced = announced
        self._ledger = surroundings.ledger
        self._recorder = surroundings.recorder
        self._objects = surroundings.objects
        self._clock_s = asyncio.get_running_loop().time
        self._limit_at_s = self._clock_s() + arrival.limit_s if arrival.limit_s else None
        self._recording_id = RecordingId(surroundings.randomness(16).hex())
        self._file = CallFile(
            arrival.call, announced=announced, region=surroundings.region, clock_s=self._clock_s
        )
        self._dialogue = Dialogue(script=script_of(announced.policy))
        self._events: deque[Event] = deque()
        self._files: deque[tuple[Part, Segment]] = deque()
        self._whole = True
        self._play = 0
        self._offset = 0
        self._played_ms = 0
        self._timers: dict[Timer, float] = {}
        self._escape_at_s = self._clock_s()
        self._appending: asyncio.Task[Event] | None = None

    async def run(self) -> None:
        """Have the conversation; return when the call goes on and its decision is settled."""
        self._events.append(opening(self._call, self._announced, self._objects))
        try:
            await self._converse()
        except asyncio.CancelledError:
            await self._break_off("the service was stopped")
            raise
        except Exception:
            log.exception("session.failed", call_id=self._call.call_id)
            await self._break_off("an error of the service")

    async def _break_off(self, reason: str) -> None:
        """Let the call go on unrecorded, then enter what it came to."""
        self._agi.leave_at(way_out(Outcome.FAILED, self._dialogue.language))
        if self._appending is not None:
            await asyncio.wait([self._appending])
        elif self._dialogue.decided is None:
            await self._append(Outcome.FAILED, "", reason)
        if self.outcome is not None and self.outcome.allows_recording:
            self._recorder.end_unstarted(self._recording_id, reason)

    async def _converse(self) -> None:
        while self._dialogue.state not in (State.GONE, State.STARTING) or self._appending or self._events:
            event = self._events.popleft() if self._events else await self._next_event()
            try:
                await self._take(event)
            except PbxUnavailableError:
                self._events.append(self._departure())
            except PbxError as error:
                log.warning("session.refused", call_id=self._call.call_id, error=str(error))
                self._events.append(CallLost())

    def _departure(self) -> Event:
        """Tell a caller who hung up from one whom the escape time-out took away."""
        return CallLeft() if self._clock_s() >= self._escape_at_s else ChannelHungUp()

    async def _take(self, event: Event) -> None:
        before = self._dialogue.state
        try:
            self._dialogue, commands = step(self._dialogue, event)
        except DialogueError as error:
            log.warning("session.unexpected", call_id=self._call.call_id, error=str(error))
            return
        if self._dialogue.state is not before:
            self._file.note(self._dialogue.state, type(event).__name__)
        for command in commands:
            await self._carry_out(command)

    async def _next_event(self) -> Event:
        """Return what happens next: a part ends, a digit comes, a timer passes, the entry is on disk."""
        if self._appending is not None:
            return await self._entry_settled(self._appending)
        overall_at_s = self._timers.get(Timer.OVERALL, float("inf"))
        if self._clock_s() >= overall_at_s:
            return TimerFired(Timer.OVERALL)
        try:
            if self._files:
                return await self._play_on()
            return await self._listen(overall_at_s)
        except PbxUnavailableError:
            return self._departure()
        except PbxError as error:
            if self._files and isinstance(error, PbxRefusedError):
                self._files.clear()
                return PlaybackFailed(self._play, "the announcement is missing or was cut off")
            log.warning("session.refused", call_id=self._call.call_id, error=str(error))
            return CallLost()

    async def _entry_settled(self, appending: asyncio.Task[Event]) -> Event:
        """Wait for the entry as long as the caller may have to; the writing itself is never broken off."""
        limit_at_s = self._timers.get(Timer.COMMIT)
        wait_s = None if limit_at_s is None else max(0.0, limit_at_s - self._clock_s())
        done, _ = await asyncio.wait([appending], timeout=wait_s)
        if not done:
            del self._timers[Timer.COMMIT]
            return TimerFired(Timer.COMMIT)
        self._appending = None
        return appending.result()

    async def _play_on(self) -> Event:
        """Play until a digit comes or the part has ended, with the last of its files."""
        while True:
            part, segment = self._files[0]
            digit, end = await self._stream(segment)
            if digit:
                self._offset = end
                self._file.note("digit", digit)
                return DigitReceived(digit)
            self._files.popleft()
            self._offset = 0
            self._whole = self._whole and end // SAMPLES_PER_MS >= segment.duration_ms - TOLERANCE_MS
            if not (self._files and self._files[0][0] is part):
                whole, self._whole = self._whole, True
                return PartPlayed(self._play, part, whole)

    async def _stream(self, segment: Segment) -> tuple[str, int]:
        """Play one file from where it stopped; return the digit, if any, and where it ended, in samples."""
        begin, began_at_s = self._offset, self._clock_s()
        try:
            digit, end = await self._agi.stream_file(segment.path, DIGITS, offset=begin)
        except PbxUnavailableError:
            left_ms = segment.duration_ms - begin // SAMPLES_PER_MS
            self._played_ms += max(0, min(round((self._clock_s() - began_at_s) * 1000), left_ms))
            raise
        self._played_ms += max(0, end - begin) // SAMPLES_PER_MS
        return digit, end

    async def _listen(self, overall_at_s: float) -> Event:
        first_digit_at_s = self._timers.get(Timer.FIRST_DIGIT, float("inf"))
        timer = Timer.FIRST_DIGIT if first_digit_at_s <= overall_at_s else Timer.OVERALL
        wait_s = max(0.0, min(first_digit_at_s, overall_at_s) - self._clock_s())
        digit = await self._agi.wait_for_digit(wait_s)
        if not digit:
            return TimerFired(timer)
        self._file.note("digit", digit)
        return DigitReceived(digit)

    async def _carry_out(self, command: Command) -> None:
        match command:
            case PlayPrompt(play, parts, language):
                self._play, self._offset, self._whole = play, 0, True
                self._files = deque(self._announced.files(parts, language, receipt=self._call.receipt))
                await self._renew_escape()
            case StopPrompt():
                self._files.clear()
            case SetTimer(timer, seconds):
                self._timers[timer] = self._clock_s() + seconds
            case CancelTimer(timer):
                self._timers.pop(timer, None)
            case AppendEntry(outcome, digit, reason):
                self._appending = asyncio.create_task(
                    self._append(outcome, digit, reason), name="append-decision"
                )
            case StartRecording():
                await self._start_recording()
            case ReleaseCall(outcome):
                await self._go_on(way_out(outcome, self._dialogue.language))
            case EnterNotStarted(reason):
                self._recorder.end_unstarted(self._recording_id, reason)

    async def _renew_escape(self) -> None:
        wait_s = escape_s(
            [segment for _, segment in self._files],
            first_digit_s=self._dialogue.script.first_digit_s,
            left_s=None if self._limit_at_s is None else self._limit_at_s - self._clock_s(),
        )
        self._escape_at_s = self._clock_s() + wait_s
        await self._agi.set_variable("TIMEOUT(absolute)", f"{wait_s:.3f}")

    async def _append(self, outcome: Outcome, digit: str, reason: str) -> Event:
        entry = self._file.entry(
            outcome,
            language=self._dialogue.language,
            digit=digit,
            reason=reason,
            played_ms=self._played_ms,
            recording_id=self._recording_id,
        )
        entered = await enter_decision(
            entry, channel=self._call.channel, ledger=self._ledger, recorder=self._recorder
        )
        if not entered:
            return EntryFailed()
        self.outcome = outcome
        return EntryCommitted()

    async def _start_recording(self) -> None:
        try:
            await self._go_on(recording_extension(self._recording_id, self._dialogue))
        except PbxRefusedError as error:
            self._events.append(RecordingRefused(str(error)))

    async def _go_on(self, extension: str) -> None:
        """Let the dialplan go on at an extension; an entry may still be on its way to the disk."""
        # In this order: broken off between the two, the call is at the beginning of where it was, not behind an end.
        await self._agi.set_priority("1")
        await self._agi.set_extension(extension)
        self._agi.end()


class AgiDesk:
    """Receives the calls that come over FastAGI."""

    def __init__(self, policies: Policies, surroundings: Surroundings, switchboard: Switchboard) -> None:
        self._policies = policies
        self._surroundings = surroundings
        self._switchboard = switchboard

    async def handle(self, channel: AgiChannel) -> None:
        """Have the conversation with one call; the handler of the FastAGI server."""
        request, around = channel.request, self._surroundings
        name, number = request.get("agi_calleridname", ""), request.get("agi_callerid", "")
        snapshot = ChannelSnapshot(
            id=request.get("agi_uniqueid", ""),
            name=request.get("agi_channel", ""),
            caller=CallerId(
                name="" if name == "unknown" else name, number="" if number == "unknown" else number
            ),
            language=request.get("agi_language", ""),
        )
        call_id = CallId(around.randomness(16).hex())
        arrival = read_arrival(
            snapshot,
            list(request.arguments),
            call_id=call_id,
            at=int(around.now_s()),
            regions=around.regions,
            receipt=new_receipt(around.randomness),
        )
        announced = self._policies.find(arrival.call.policy)
        if announced.leaves_alone(arrival.call.dialled):
            channel.leave_at(LEFT_ALONE)
            return
        self._switchboard.remember(snapshot.id)
        session = AgiSession(channel, arrival, announced, around)
        try:
            await session.run()
        finally:
            self._switchboard.count(session.outcome)
