"""Random calls to the line: whatever happens, in whatever order and however often, the rules hold.

Observable is: which digits came, what was played to its end, which timers run, which commands came.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asterisk_consent.dialogue.commands import CancelTimer, SetTimer, StopPrompt
from asterisk_consent.dialogue.events import (
    CallLeft,
    CallLost,
    ChannelHungUp,
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    PartPlayed,
    PlaybackFailed,
    ServiceStopping,
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
    NothingFound,
    RecordingFound,
    RecordingWithdrawn,
    TooManyAttempts,
    WithdrawalFailed,
)
from asterisk_consent.dialogue.withdrawal.machine import step
from asterisk_consent.dialogue.withdrawal.script import LineDialogue, LineScript, Saying, State
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Done, Effect, KeptBecause
from tests.dialogue.withdrawal.playbook import MENU, SCRIPT

DONE = [
    Done(effect=Effect.ERASED, reference="00000000"),
    Done(effect=Effect.PENDING, reference="12345678"),
    *(Done(effect=Effect.KEPT, because=because, reference="99999999") for because in KeptBecause),
]
EFFECTS = {Saying.ERASED, Saying.KEPT_BY_LAW, Saying.KEPT_ON_HOLD, Saying.PENDING, Saying.REFERENCE}
ENDS_WITHIN = 60


class Calls(RuleBasedStateMachine):
    """One call after another event; the seen is held against the rules as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.line = LineDialogue(script=SCRIPT)
        self.commands: list[LineCommand] = []
        self.timers: set[Timer] = set()
        self.playing: SayWords | None = None
        self.question_played = False
        self.confirmed = 0
        self.here = True
        self.breaks = 0
        self.done = False

    def happen(self, event: LineEvent) -> None:
        if isinstance(event, TimerFired):
            self.timers.discard(event.timer)
        if isinstance(event, ChannelHungUp | CallLeft | CallLost):
            self.here = False
        if isinstance(event, ConnectionRestored):
            self.breaks += 1
        if isinstance(event, DigitReceived) and event.digit == "1" and self.question_played:
            self.confirmed += 1
        before = self.line
        try:
            self.line, commands = step(self.line, event)
        except DialogueError:
            assert self.line is before
            return
        if isinstance(event, RecordingWithdrawn) and before.state is State.WITHDRAWING:
            self.done = True
        if isinstance(event, PartPlayed) and self.playing and event.play == self.playing.play:
            self.question_played = event.complete and self.playing.words == (Saying.CONFIRM,)
            self.playing = None
        for command in commands:
            self.obey(command)
        self.commands += commands

    def obey(self, command: LineCommand) -> None:
        assert self.here or isinstance(command, WithdrawRecording)
        match command:
            case SayWords(play, words, language):
                assert self.playing is None
                assert bool(language) == (words != (Saying.MENU,))
                assert not set(words) & EFFECTS or self.done
                self.playing, self.question_played = command, False
            case StopPrompt(play):
                assert self.playing
                assert self.playing.play == play
                self.playing = None
            case SetTimer(timer):
                self.timers.add(timer)
            case CancelTimer(timer):
                self.timers.discard(timer)
            case FindRecording(digits):
                assert self.question_played
                assert len(digits) in ((4, 12) if self.line.knows_number else (12,))
                self.question_played = False
            case WithdrawRecording():
                assert isinstance(self.commands[-1], FindRecording)
            case EndCall():
                self.here = False

    @initialize(
        script=st.sampled_from([SCRIPT, MENU]),
        knows=st.booleans(),
        within=st.sampled_from([True] * 5 + [False]),
    )
    def begin(self, script: LineScript, knows: bool, within: bool) -> None:
        self.line = LineDialogue(script=script)
        self.happen(LineReached(knows_number=knows, within_limits=within))

    @precondition(lambda self: self.playing)
    @rule(complete=st.sampled_from([True] * 9 + [False]))
    def play_out(self, complete: bool) -> None:
        assert self.playing is not None
        self.happen(PartPlayed(self.playing.play, self.playing.words[0], complete))

    @rule(digits=st.sampled_from(["1", "2", "*", "#", "5", "A", "", "4711#", "123456789012", "4711", "47#"]))
    def press(self, digits: str) -> None:
        for digit in digits or [""]:
            self.happen(DigitReceived(digit))

    @precondition(lambda self: self.here)
    @rule(digits=st.sampled_from(["4711#", "123456789012"]))
    def enter_and_confirm(self, digits: str) -> None:
        self.press(digits)
        if self.playing:
            self.play_out(complete=True)
        self.press("1")

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def run_out(self, data: st.DataObject) -> None:
        self.happen(TimerFired(data.draw(st.sampled_from(sorted(self.timers)))))

    @precondition(lambda self: self.line.state in (State.FINDING, State.WITHDRAWING, State.DEPARTED))
    @rule(
        event=st.sampled_from(
            [RecordingFound(), RecordingFound(), NothingFound(), TooManyAttempts(), WithdrawalFailed()]
            + [RecordingWithdrawn(done) for done in DONE]
        )
    )
    def answer(self, event: LineEvent) -> None:
        looked = isinstance(self.commands[-1], FindRecording)
        if looked == isinstance(event, RecordingFound | NothingFound | TooManyAttempts):
            self.happen(event)

    @rule(event=st.sampled_from([ConnectionLost(), ConnectionRestored(), TimerFired(Timer.NEXT_DIGIT)]))
    def disturb(self, event: LineEvent) -> None:
        self.happen(event)

    @rule(play=st.integers(0, 3))
    def report_out_of_order(self, play: int) -> None:
        if self.playing is None or play != self.playing.play:
            self.happen(PlaybackFailed(play, "late") if play % 2 else PartPlayed(play, Saying.MENU, True))

    @precondition(lambda self: len(self.commands) > 8)
    @rule(event=st.sampled_from([ChannelHungUp(), CallLeft(), CallLost(), ServiceStopping()]))
    def leave(self, event: LineEvent) -> None:
        self.happen(event)

    @invariant()
    def nothing_is_withdrawn_and_nothing_looked_for_without_a_confirmation_of_its_own(self) -> None:
        assert sum(isinstance(each, FindRecording) for each in self.commands) <= self.confirmed
        assert sum(isinstance(each, WithdrawRecording) for each in self.commands) <= self.confirmed

    @invariant()
    def attempts_and_rounds_are_bounded(self) -> None:
        script = self.line.script
        assert sum(isinstance(each, FindRecording) for each in self.commands) <= script.attempts
        said = sum(isinstance(each, SayWords) for each in self.commands)
        assert said <= script.rounds + 1 + self.breaks

    @invariant()
    def a_call_is_given_back_once_and_nothing_is_said_after_it(self) -> None:
        ends = [place for place, each in enumerate(self.commands) if isinstance(each, EndCall)]
        assert len(ends) <= 1
        if ends:
            assert not any(isinstance(each, SayWords) for each in self.commands[ends[0] :])

    @invariant()
    def a_call_that_is_ours_has_a_timer_that_ends_it(self) -> None:
        if self.line.state not in (State.ARRIVING, State.GONE):
            assert self.timers & {Timer.OVERALL, Timer.COMMIT}

    def teardown(self) -> None:
        """Every path ends: time alone brings any call to its end."""
        for _ in range(ENDS_WITHIN):
            if self.line.state is State.GONE:
                return
            ending = [timer for timer in (Timer.COMMIT, Timer.OVERALL) if timer in self.timers]
            self.happen(TimerFired(ending[0]))
        raise AssertionError(f"still {self.line.state}")


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=300, stateful_step_count=30)
