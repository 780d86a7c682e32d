"""Somebody beside the conversation who knows only what can be observed, and holds every answer against the rules.

Observable is: which digits came, which parts were played in full and in which language, whether digits could be
heard at all, what was committed, which timers run, which commands came.
"""

from enum import StrEnum

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
    CallLost,
    ChannelHungUp,
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    EntryCommitted,
    EntryFailed,
    Event,
    Part,
    PartPlayed,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import COMMIT_TIMEOUT_S, ON_THE_LIST, TABLE, step
from asterisk_consent.dialogue.reading_out import RECEIPT_TIMEOUT_S
from asterisk_consent.dialogue.script import Dialogue, Script
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Mode, Outcome

REFUSALS = (Outcome.REFUSED, Outcome.OBJECTED)


class Onlooker:
    """One conversation under a script, and what was seen of it.

    :ivar language: the one that is known from the arrival, or was chosen by a digit; empty before.
    :ivar informed_in: the languages in which the information was played to its end.
    :ivar played_out: part and language of what was played to its end since the announcement last began.
    :ivar strayed: whether, since the language is known, a digit came that the script does not have.
    :ivar away: whether the connection is away, so that no digit can be heard.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.dialogue = Dialogue(script=script)
        self.seconds = {
            Timer.OVERALL: script.overall_s,
            Timer.FIRST_DIGIT: script.first_digit_s,
            Timer.COMMIT: COMMIT_TIMEOUT_S,
        }
        self.commands: list[Command] = []
        self.seen: list[Event] = []
        self.language = ""
        self.playing = 0
        self.playing_language = ""
        self.parts: list[Part] = []
        self.informed_in: set[str] = set()
        self.played_out: set[tuple[StrEnum, str]] = set()
        self.strayed = False
        self.away = False
        self.timers: set[Timer] = set()
        self.decision: AppendEntry | None = None
        self.committed: bool | None = None
        self.call_here = True

    @property
    def allowed(self) -> bool:
        """Whether the decision is one that a recording may rest on."""
        return self.decision is not None and self.decision.outcome in (Outcome.GIVEN, Outcome.INFORMED)

    @property
    def explanations(self) -> int:
        """How often it was begun to say why a refusal has no effect."""
        prompts = [command for command in self.commands if isinstance(command, PlayPrompt)]
        return sum(Part.NO_REFUSAL in prompt.parts for prompt in prompts)

    def happen(self, event: Event) -> None:
        """Give the dialogue one event and check what it answers."""
        before, undecided = self.dialogue, self.decision is None
        self.seen.append(event)
        if isinstance(event, TimerFired):
            self.timers.discard(event.timer)
        try:
            self.dialogue, commands = step(self.dialogue, event)
        except DialogueError:
            assert self.dialogue is before
            return
        assert self.dialogue.state in TABLE[before.state, type(event)][1]
        self._note(event)
        self._check_stopped(commands)
        for command in commands:
            self._obey(command, event)
        if undecided and isinstance(event, DigitReceived) and event.digit == self.script.refuse_digit != "":
            self._check_refusal(commands)
        self.commands += commands

    def _check_stopped(self, commands: list[Command]) -> None:
        """Nothing plays on, and no silence is timed, beside another prompt or while an entry is written."""
        turns = any(isinstance(command, PlayPrompt | AppendEntry) for command in commands)
        if turns and self.call_here and self.parts:
            assert commands[0] == StopPrompt(self.playing)
        if turns and Timer.FIRST_DIGIT in self.timers:
            assert CancelTimer(Timer.FIRST_DIGIT) in commands

    def _note(self, event: Event) -> None:
        """Take note of what the event shows, before its commands are looked at."""
        match event:
            case CallArrived(language):
                self.language = language
            case PartPlayed(play, part, True) if play == self.playing and part in self.parts[:1]:
                self.parts.pop(0)
                self.played_out.add((part, self.playing_language))
                if part is Part.INFORMATION:
                    self.informed_in.add(self.playing_language)
            case ChannelHungUp() | CallLeft() | CallLost():
                self.call_here = False
            case ConnectionLost() | ConnectionRestored():
                self.away = isinstance(event, ConnectionLost)
            case EntryCommitted() if self.decision and self.committed is None:
                self.committed = True
            case EntryFailed() if self.decision and self.committed is None:
                self.committed = False
            case DigitReceived(digit) if self.decision is None:
                self._note_digit(digit)

    def _note_digit(self, digit: str) -> None:
        if self.language:
            self.strayed = self.strayed or digit not in (self.script.refuse_digit, self.script.repeat_digit)
        elif digit != self.script.refuse_digit or not self.script.takes_refusal:
            self.language = dict(self.script.menu).get(digit, "")

    def _obey(self, command: Command, event: Event) -> None:
        match command:
            case SetTimer(Timer.OVERALL as timer, seconds) if self.committed:
                assert seconds == RECEIPT_TIMEOUT_S
                self.timers.add(timer)
            case SetTimer(timer, seconds):
                assert seconds == self.seconds[timer]
                self.timers.add(timer)
            case CancelTimer(timer):
                self.timers.discard(timer)
            case PlayPrompt():
                self._play(command)
            case StopPrompt(play):
                assert play == self.playing
                assert self.parts, "nothing plays any more"
            case AppendEntry():
                self._decide(command, event)
            case StartRecording():
                assert self.committed is True
                assert self.allowed
                assert self.call_here
            case ReleaseCall(outcome):
                assert self.decision is not None
                assert outcome is (self.decision.outcome if type(event) is EntryCommitted else Outcome.FAILED)
            case EnterNotStarted():
                assert self.committed is True

    def _play(self, prompt: PlayPrompt) -> None:
        assert prompt.play == self.playing + 1
        if prompt.parts == (Part.RECEIPT,):
            assert self.script.reads_receipt
            assert self.committed is True
            assert self.allowed
            assert self.call_here
        else:
            assert Part.RECEIPT not in prompt.parts
            assert self.decision is None
        assert prompt.language == self.language
        assert (Part.MENU in prompt.parts) == (not self.language)
        assert Part.NO_REFUSAL not in prompt.parts or not self.script.takes_refusal
        self.playing, self.playing_language, self.parts = prompt.play, prompt.language, list(prompt.parts)
        if Part.INFORMATION in prompt.parts:
            self.played_out.clear()

    def _decide(self, decision: AppendEntry, event: Event) -> None:
        assert self.decision is None, "a second decision"
        self.decision = decision
        match decision.outcome:
            case Outcome.GIVEN:
                assert self.script.mode is Mode.OPT_IN
                assert event == DigitReceived(self.script.agree_digit) == DigitReceived(decision.digit)
                assert decision.digit
                assert self.language
                assert self.informed_in == {self.language}
            case Outcome.REFUSED | Outcome.OBJECTED:
                assert self.script.takes_refusal
                assert decision.outcome is self.script.refusal
                if isinstance(event, CallerObjected):
                    assert (decision.digit, decision.reason) == ("", ON_THE_LIST)
                else:
                    assert event == DigitReceived(self.script.refuse_digit) == DigitReceived(decision.digit)
                    assert decision.digit
            case Outcome.INFORMED:
                self._check_informed(decision, event)
            case _:
                assert decision.digit == ""
                assert decision.reason

    def _check_informed(self, decision: AppendEntry, event: Event) -> None:
        assert decision.digit == ""
        assert self.language
        announcement = {Part.INFORMATION}
        if self.script.mode is Mode.OPT_OUT:
            announcement.add(Part.QUESTION)
            assert event == TimerFired(Timer.FIRST_DIGIT)
            assert not self.strayed
            assert not self.away
        else:
            assert self.script.mode is Mode.NOTICE
            assert isinstance(event, PartPlayed)
        assert {(part, self.language) for part in announcement} <= self.played_out

    def _check_refusal(self, commands: list[Command]) -> None:
        """A refusal before the decision decides; where the law demands the recording it is answered, once."""
        prompts = [command for command in commands if isinstance(command, PlayPrompt)]
        if self.script.takes_refusal:
            assert self.decision is not None
            assert self.decision.outcome in REFUSALS
        elif self.explanations:
            assert commands == []
        elif self.playing_language:
            assert [prompt.parts for prompt in prompts] == [(Part.NO_REFUSAL, *self.script.announcement)]
