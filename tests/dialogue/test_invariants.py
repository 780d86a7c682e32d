"""Random conversations: whatever happens, in whatever order and however often, the invariants hold.

A model stands beside the dialogue and knows only what is observable: which parts were played in full, what was
committed, which timers run, which commands came.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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
    CallLeft,
    CallLost,
    CallUnaskable,
    ChannelHungUp,
    ConnectionRestored,
    DigitReceived,
    EntryCommitted,
    EntryFailed,
    Event,
    Part,
    PartPlayed,
    PlaybackFailed,
    RecordingRefused,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import COMMIT_TIMEOUT_S, Dialogue, State, step
from asterisk_consent.errors import DialogueError
from asterisk_consent.model import Outcome
from tests.dialogue.playbook import SCRIPT

LEAVING = st.sampled_from([ChannelHungUp(), CallLeft(), CallLost()])
SECONDS = {
    Timer.OVERALL: SCRIPT.overall_s,
    Timer.FIRST_DIGIT: SCRIPT.first_digit_s,
    Timer.COMMIT: COMMIT_TIMEOUT_S,
}


class Conversations(RuleBasedStateMachine):
    """Events as they may really come, and as they should never come; what follows is held against the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.dialogue = Dialogue(script=SCRIPT)
        self.commands: list[Command] = []
        self.seen: list[Event] = []
        self.playing = 0
        self.parts: list[Part] = []
        self.heard_information = False
        self.timers: set[Timer] = set()
        self.decision: AppendEntry | None = None
        self.committed: bool | None = None
        self.call_here = True
        self.counted_digit = ""

    def happen(self, event: Event) -> None:
        """Give the dialogue one event and check what it answers."""
        before = self.dialogue
        self.seen.append(event)
        try:
            self.dialogue, commands = step(self.dialogue, event)
        except DialogueError:
            assert self.dialogue is before
            return
        self._note(event)
        for command in commands:
            self._obey(command, event)
        self.commands += commands

    def _note(self, event: Event) -> None:
        """Take note of what the event shows, before its commands are looked at."""
        match event:
            case PartPlayed(play, Part.INFORMATION, True) if play == self.playing:
                self.heard_information = True
            case ChannelHungUp() | CallLeft() | CallLost():
                self.call_here = False
            case EntryCommitted() if self.decision and self.committed is None:
                self.committed = True
            case EntryFailed() if self.decision and self.committed is None:
                self.committed = False
            case DigitReceived(digit):
                self.counted_digit = digit

    def _obey(self, command: Command, event: Event) -> None:
        match command:
            case SetTimer(timer, seconds):
                assert seconds == SECONDS[timer]
                self.timers.add(timer)
            case CancelTimer(timer):
                self.timers.discard(timer)
            case PlayPrompt(play, parts):
                assert play == self.playing + 1
                assert self.decision is None
                self.playing, self.parts = play, list(parts)
            case StopPrompt(play):
                assert play == self.playing
            case AppendEntry():
                self._decide(command, event)
            case StartRecording():
                assert self.committed is True
                assert self.decision is not None
                assert self.decision.outcome is Outcome.GIVEN
                assert self.call_here
            case ReleaseCall(outcome):
                assert self.decision is not None
                assert outcome is (self.decision.outcome if type(event) is EntryCommitted else Outcome.FAILED)
            case EnterNotStarted():
                assert self.committed is True

    def _decide(self, decision: AppendEntry, event: Event) -> None:
        assert self.decision is None, "a second decision"
        self.decision = decision
        if decision.outcome is Outcome.GIVEN:
            assert self.heard_information
            assert event == DigitReceived(SCRIPT.agree_digit)
        elif decision.outcome is Outcome.REFUSED:
            assert event == DigitReceived(SCRIPT.refuse_digit)
        else:
            assert decision.digit == ""

    @rule(event=st.sampled_from([CallArrived(), CallArrived(), CallUnaskable("no announcement")]))
    def arrive(self, event: Event) -> None:
        self.happen(event)

    @precondition(lambda self: self.parts)
    @rule(complete=st.sampled_from([True, True, True, False]))
    def play_out(self, complete: bool) -> None:
        self.happen(PartPlayed(self.playing, self.parts.pop(0), complete))

    @rule(digit=st.sampled_from("1112239#A"))
    def press(self, digit: str) -> None:
        self.happen(DigitReceived(digit))

    @rule(digits=st.text("1239*#ABCD", min_size=5, max_size=40))
    def storm(self, digits: str) -> None:
        for digit in digits:
            self.happen(DigitReceived(digit))

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def run_out(self, data: st.DataObject) -> None:
        timer = data.draw(st.sampled_from(sorted(self.timers)))
        self.timers.discard(timer)
        self.happen(TimerFired(timer))

    @rule(timer=st.sampled_from(Timer))
    def fire_late(self, timer: Timer) -> None:
        self.timers.discard(timer)
        self.happen(TimerFired(timer))

    @precondition(lambda self: self.decision and self.committed is None)
    @rule(event=st.sampled_from([EntryCommitted(), EntryCommitted(), EntryFailed()]))
    def settle_entry(self, event: Event) -> None:
        self.happen(event)

    @precondition(lambda self: StartRecording() in self.commands)
    @rule(event=st.sampled_from([CallLeft(), RecordingRefused("gone")]))
    def answer_start(self, event: Event) -> None:
        self.happen(event)

    @rule(event=LEAVING)
    def leave(self, event: Event) -> None:
        self.happen(event)

    @rule(event=st.sampled_from([ConnectionRestored(), ServiceStopping()]))
    def disturb(self, event: Event) -> None:
        self.happen(event)

    @rule(play=st.integers(0, 3), part=st.sampled_from(Part), complete=st.booleans())
    def report_out_of_order(self, play: int, part: Part, complete: bool) -> None:
        if (play, part) != (self.playing, Part.INFORMATION) or not complete:
            self.happen(PartPlayed(play, part, complete))

    @rule(play=st.integers(0, 3))
    def fail_to_play(self, play: int) -> None:
        self.happen(PlaybackFailed(play, "no such file"))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def repeat_an_earlier_event(self, data: st.DataObject) -> None:
        """A duplicate, possibly much later. An information played out again was played out."""
        event = data.draw(st.sampled_from(self.seen))
        settled_already = self.committed is not None or self.decision is None
        if not isinstance(event, EntryCommitted | EntryFailed) or settled_already:
            self.happen(event)

    @invariant()
    def a_recording_starts_only_after_a_committed_agreement(self) -> None:
        if StartRecording() in self.commands:
            assert self.committed is True
            assert self.decision is not None
            assert self.decision.outcome is Outcome.GIVEN

    @invariant()
    def there_is_one_decision(self) -> None:
        entries = [command for command in self.commands if isinstance(command, AppendEntry)]
        assert entries == ([self.decision] if self.decision else [])

    @invariant()
    def a_call_is_let_go_once_and_never_both_recorded_and_let_go_without_a_refusal_of_the_start(self) -> None:
        released = [command for command in self.commands if isinstance(command, ReleaseCall)]
        assert len(released) <= 1
        if released and StartRecording() in self.commands:
            assert any(isinstance(event, RecordingRefused) for event in self.seen)

    @invariant()
    def a_call_at_the_end_is_let_go_recorded_or_gone(self) -> None:
        if self.dialogue.state is State.GONE:
            kinds = {type(command) for command in self.commands}
            assert kinds & {ReleaseCall, StartRecording} or not self.call_here
            assert self.decision is not None
            assert self.committed is not None

    @invariant()
    def every_committed_agreement_of_a_finished_call_is_started_or_entered_as_not_started_once(self) -> None:
        unmade = [command for command in self.commands if isinstance(command, EnterNotStarted)]
        assert len(unmade) <= 1
        given = self.decision is not None and self.decision.outcome is Outcome.GIVEN
        assert not unmade or given
        if self.dialogue.state is State.GONE and self.committed and given:
            assert unmade or StartRecording() in self.commands

    @invariant()
    def a_conversation_under_way_has_a_timer_that_ends_it(self) -> None:
        if self.dialogue.state in (State.INFORMING, State.QUESTIONING, State.LISTENING):
            assert Timer.OVERALL in self.timers

    @invariant()
    def timers_of_a_finished_conversation_are_cancelled(self) -> None:
        if self.dialogue.state is State.DECIDING:
            assert self.timers == {Timer.COMMIT}
        if self.dialogue.state in (State.STARTING, State.DEPARTED, State.GONE):
            assert not self.timers

    @invariant()
    def the_caller_is_asked_a_bounded_number_of_times(self) -> None:
        prompts = sum(isinstance(command, PlayPrompt) for command in self.commands)
        breaks = sum(isinstance(event, ConnectionRestored) for event in self.seen)
        assert prompts <= SCRIPT.attempts + SCRIPT.repeats + breaks


TestConversations = Conversations.TestCase
