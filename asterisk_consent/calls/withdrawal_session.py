"""One call to the withdrawal line: feeds its dialogue with events and carries out its commands.

Rules: as in ``session``, events are taken one at a time, and whatever is raised here ends with the call given back. How
long it takes to be told that there is nothing does not depend on why. What was confirmed is carried out whatever
becomes of the call. No number and no receipt is logged.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial

import structlog

from asterisk_consent.calls.arrival import LineCall
from asterisk_consent.calls.attempts import Attempts
from asterisk_consent.calls.held import HeldChannel
from asterisk_consent.calls.withdrawal_desk import Found, WithdrawalDesk
from asterisk_consent.calls.withdrawal_line import Line, Lines
from asterisk_consent.dialogue.commands import CancelTimer, SetTimer, StopPrompt
from asterisk_consent.dialogue.events import (
    CallLeft,
    ChannelHungUp,
    DigitReceived,
    PlaybackFailed,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.withdrawal.commands import (
    EndCall,
    FindRecording,
    LineCommand,
    SayWords,
    WithdrawRecording,
)
from asterisk_consent.dialogue.withdrawal.events import (
    LineEvent,
    LineReached,
    LineSilent,
    NothingFound,
    RecordingFound,
    RecordingWithdrawn,
    TooManyAttempts,
    WithdrawalFailed,
)
from asterisk_consent.dialogue.withdrawal.machine import step
from asterisk_consent.dialogue.withdrawal.receipt import RECEIPT_DIGITS
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, LineScript, Result, State, Word
from asterisk_consent.errors import ConsentError, DialogueError
from asterisk_consent.pbx.ari import AriClient, AriEvent
from asterisk_consent.telephone import e164

log = structlog.get_logger(__name__)

CONTEXT = "asterisk-consent-withdrawal"
FINDING_S = 1.0
"""When the answer to a receipt is given, so that it is no sign of what was looked at."""
ACTING_ENDS_S = 60.0
"""How long what was confirmed may take once nobody waits for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawals:
    """What all calls to the lines share.

    :param desk: ``None`` where nobody can be asked: every receipt is a fault then.
    :param region: where numbers without a country code belong.
    """

    lines: Lines
    desk: WithdrawalDesk | None
    attempts: Attempts
    region: str
    now_s: Callable[[], float] = time.time


class WithdrawalSession:
    """The interpreter of one call to the line."""

    def __init__(self, call: LineCall, withdrawals: Withdrawals, ari: AriClient) -> None:
        self.channel = call.channel
        self.result: Result | None = None
        self._line: Line = withdrawals.lines.find(call.controller)
        self._number = None if call.number is None else e164(call.number, withdrawals.region)
        self._desk = withdrawals.desk
        self._attempts = withdrawals.attempts
        self._now_s = withdrawals.now_s
        self._held = HeldChannel(ari, call.channel, call_id=call.channel, limit_s=call.limit_s)
        script = LineScript(languages=("",)) if self._line.fault else self._line.script
        self._dialogue = LineDialogue(script=script)
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._acting: asyncio.Task[None] | None = None
        self._found: Found | None = None
        self._event_at_s = self._now_s()
        self.feed(self._opening())

    def feed(self, event: LineEvent) -> None:
        """Hand over an event; taken in order."""
        self._events.put_nowait(event)

    def feed_ari(self, event: AriEvent) -> None:
        """Hand over an ARI event of this call's channel or playback."""
        self._event_at_s = event.at_s or self._now_s()
        match event.type:
            case "ChannelDtmfReceived":
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
        """Stop whatever an earlier run of the service still plays to this call."""
        await self._held.silence()

    async def run(self) -> None:
        """Have the conversation; return when the call is no longer ours and what was confirmed has come to an end."""
        try:
            while self._dialogue.state is not State.GONE:
                await self._take(await self._events.get())
        except Exception:
            log.exception("withdrawal_line.failed", controller=self._line.controller)
            await self._held.stop_now(self._event_at_s)
            await self._end(Result.FAILED)
        finally:
            self._held.cancel_all()
        if self._acting is not None:
            await asyncio.wait([self._acting], timeout=ACTING_ENDS_S)
        log.info("withdrawal_line.ended", controller=self._line.controller, result=self.result)

    def _opening(self) -> LineEvent:
        if self._line.fault:
            log.error("withdrawal_line.silent", controller=self._line.controller, fault=self._line.fault)
            return LineSilent()
        return LineReached(
            knows_number=self._number is not None, within_limits=self._attempts.allow(self._number)
        )

    async def _take(self, event: LineEvent) -> None:
        if isinstance(event, TimerFired):
            self._event_at_s = self._now_s()
        try:
            self._dialogue, commands = step(self._dialogue, event)
        except DialogueError as error:
            log.warning("withdrawal_line.unexpected", controller=self._line.controller, error=str(error))
            return
        for command in commands:
            await self._carry_out(command)

    async def _carry_out(self, command: LineCommand) -> None:
        match command:
            case SayWords(play, words, language):
                await self._say(play, words, language)
            case StopPrompt():
                self._held.stop(self._event_at_s)
            case SetTimer(timer, seconds):
                self._held.set_timer(timer, seconds, partial(self.feed, TimerFired(timer)))
                if timer is not Timer.OVERALL:
                    await self._held.renew_escape(seconds)
            case CancelTimer(timer):
                self._held.cancel(timer)
            case FindRecording(digits):
                self._act(self._find(digits))
            case WithdrawRecording():
                self._act(self._withdraw())
            case EndCall(result):
                await self._end(result)

    async def _say(self, play: int, words: tuple[Word, ...], language: str) -> None:
        files = self._line.files(words, language)
        if not await self._held.play(play, files, first_digit_s=self._dialogue.script.first_digit_s):
            self.feed(PlaybackFailed(play, "Asterisk did not take what was to be said"))

    def _act(self, what: Coroutine[None, None, None]) -> None:
        self._acting = asyncio.create_task(what, name="withdrawal")

    async def _find(self, digits: str) -> None:
        """Look for the recording of a receipt; the answer comes when it comes for every receipt."""
        clock_s = asyncio.get_running_loop().time
        answer_at_s = clock_s() + FINDING_S
        event: LineEvent = TooManyAttempts()
        if self._attempts.count(self._number):
            event = await self._look_for(digits)
        else:
            log.warning("withdrawal_line.limited", controller=self._line.controller)
        await asyncio.sleep(max(0.0, answer_at_s - clock_s()))
        self.feed(event)

    async def _look_for(self, digits: str) -> LineEvent:
        try:
            self._found = await self._at_desk().find(
                controller=self._line.controller,
                number=None if len(digits) == RECEIPT_DIGITS else self._number,
                receipt=digits,
            )
        except Exception as error:
            self._log_fault("withdrawal_line.not_looked_for", error)
            return WithdrawalFailed()
        return NothingFound() if self._found is None else RecordingFound()

    async def _withdraw(self) -> None:
        try:
            if self._found is None:
                raise ConsentError("nothing was found")
            done = await self._at_desk().withdraw(self._found, channel=self.channel)
        except Exception as error:
            self._log_fault("withdrawal_line.not_withdrawn", error)
            self.feed(WithdrawalFailed())
        else:
            self.feed(RecordingWithdrawn(done))

    def _at_desk(self) -> WithdrawalDesk:
        if self._desk is None:
            raise ConsentError("there is nobody to ask")
        return self._desk

    async def _end(self, result: Result) -> None:
        self.result = result
        await self._held.let_go(context=CONTEXT, extension=f"over*{result}")

    def _log_fault(self, what: str, error: Exception) -> None:
        unexpected = None if isinstance(error, ConsentError) else error
        log.error(what, controller=self._line.controller, error=str(error), exc_info=unexpected)
