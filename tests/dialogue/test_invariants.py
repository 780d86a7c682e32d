"""Random conversations under random scripts: whatever happens, in whatever order and however often, the rules hold.

The onlooker checks every answer as it comes; the invariants here hold for the whole of what was seen.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asterisk_consent.dialogue.commands import (
    AppendEntry,
    EnterNotStarted,
    PlayPrompt,
    ReleaseCall,
    StartRecording,
)
from asterisk_consent.dialogue.events import (
    CallArrived,
    CallerObjected,
    CallLeft,
    CallLost,
    CallUnaskable,
    ChannelHungUp,
    ConnectionLost,
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
from asterisk_consent.dialogue.script import Script, State
from asterisk_consent.model import Mode, Outcome
from tests.dialogue.onlooker import REFUSALS, Onlooker
from tests.dialogue.playbook import SCRIPT

LEAVING = st.sampled_from([ChannelHungUp(), CallLeft(), CallLost()])
LANGUAGES = ("nl", "fr", "de")
ASKING = (State.CHOOSING, State.AWAITING_LANGUAGE, State.INFORMING, State.QUESTIONING, State.LISTENING)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Any script, also one that no policy may have; a digit has one meaning at a time."""
    agree, refuse, repeat = draw(st.permutations("1239"))[:3]
    free = [digit for digit in "123459" if digit != refuse]
    chosen = draw(st.permutations(free))[: draw(st.sampled_from([0, 0, 2, 3]))]
    return Script(
        mode=draw(st.sampled_from([*Mode, Mode.OPT_OUT])),
        agree_digit=draw(st.sampled_from([agree, agree, ""])),
        refuse_digit=draw(st.sampled_from([refuse, refuse, ""])),
        repeat_digit=draw(st.sampled_from([repeat, ""])),
        refusal=draw(st.sampled_from(REFUSALS)),
        takes_refusal=draw(st.sampled_from([True, True, False])),
        menu=tuple(zip(chosen, LANGUAGES, strict=False)),
        attempts=draw(st.integers(1, 3)),
        repeats=draw(st.integers(0, 2)),
        first_digit_s=5.0,
        overall_s=90.0,
        reads_receipt=draw(st.sampled_from([False, False, True])),
    )


class Undisturbed(RuleBasedStateMachine):
    """Conversations that mostly come to their end: the caller presses, or not; the connection may break."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Onlooker(SCRIPT)

    def happen(self, event: Event) -> None:
        self.seen.happen(event)

    @initialize(script=scripts(), language=st.sampled_from(["nl", ""]))
    def begin(self, script: Script, language: str) -> None:
        self.seen = Onlooker(script)
        self.happen(CallArrived("" if script.menu else language))

    @precondition(lambda self: self.seen.parts)
    @rule(complete=st.sampled_from([True] * 7 + [False]))
    def play_out(self, complete: bool) -> None:
        self.happen(PartPlayed(self.seen.playing, self.seen.parts[0], complete))

    @precondition(lambda self: self.seen.parts)
    @rule()
    def play_out_all(self) -> None:
        play = self.seen.playing
        while self.seen.parts and self.seen.playing == play and self.seen.decision is None:
            self.happen(PartPlayed(play, self.seen.parts[0], True))

    @rule(data=st.data())
    def press_what_means_something(self, data: st.DataObject) -> None:
        script = self.seen.script
        meant = [script.agree_digit, script.refuse_digit, script.repeat_digit, *dict(script.menu)]
        self.happen(DigitReceived(data.draw(st.sampled_from(meant))))

    @precondition(lambda self: self.seen.script.menu and not self.seen.language)
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        self.happen(DigitReceived(data.draw(st.sampled_from([*dict(self.seen.script.menu)]))))

    @precondition(lambda self: self.seen.script.mode is Mode.OPT_IN)
    @rule()
    def agree(self) -> None:
        self.happen(DigitReceived(self.seen.script.agree_digit))

    @precondition(lambda self: self.seen.script.refuse_digit)
    @rule()
    def refuse(self) -> None:
        self.happen(DigitReceived(self.seen.script.refuse_digit))

    @rule(digit=st.sampled_from([*"1239#A0", ""]))
    def press(self, digit: str) -> None:
        self.happen(DigitReceived(digit))

    @precondition(lambda self: self.seen.playing and self.seen.decision is None)
    @rule(cut_off=st.sampled_from([False, False, True]))
    def hear_it_and_stay_silent(self, cut_off: bool) -> None:
        self.play_out_all()
        if cut_off:
            self.happen(ConnectionLost())
        self.happen(TimerFired(Timer.FIRST_DIGIT))

    @precondition(lambda self: self.seen.decision and self.seen.committed is None)
    @rule(event=st.sampled_from([EntryCommitted(), EntryCommitted(), EntryFailed()]))
    def settle_entry(self, event: Event) -> None:
        self.happen(event)

    @precondition(lambda self: self.seen.dialogue.state is State.READING_OUT)
    @rule(
        event=st.sampled_from(
            [DigitReceived("5"), TimerFired(Timer.OVERALL), ServiceStopping(), ConnectionRestored(), None]
        )
    )
    def end_the_reading(self, event: Event | None) -> None:
        self.happen(event or PlaybackFailed(self.seen.playing, "no such file"))
        assert StartRecording() in self.seen.commands

    @precondition(lambda self: StartRecording() in self.seen.commands)
    @rule(event=st.sampled_from([CallLeft(), RecordingRefused("gone")]))
    def answer_start(self, event: Event) -> None:
        self.happen(event)

    @precondition(lambda self: self.seen.playing)
    @rule()
    def break_and_restore(self) -> None:
        for event in (ConnectionLost(), TimerFired(Timer.FIRST_DIGIT), ConnectionRestored()):
            self.happen(event)

    @rule(play=st.integers(0, 3), part=st.sampled_from(Part), complete=st.booleans())
    def report_out_of_order(self, play: int, part: Part, complete: bool) -> None:
        self.happen(PartPlayed(play, part, complete))

    @invariant()
    def a_recording_starts_only_after_a_committed_decision_that_allows_it(self) -> None:
        if StartRecording() in self.seen.commands:
            assert self.seen.committed is True
            assert self.seen.allowed

    @invariant()
    def a_script_that_asks_for_no_agreement_gets_none_and_one_that_does_takes_no_silence(self) -> None:
        if self.seen.allowed and self.seen.decision is not None:
            modes = (
                (Mode.OPT_IN,) if self.seen.decision.outcome is Outcome.GIVEN else (Mode.OPT_OUT, Mode.NOTICE)
            )
            assert self.seen.script.mode in modes

    @invariant()
    def there_is_one_decision(self) -> None:
        entries = [command for command in self.seen.commands if isinstance(command, AppendEntry)]
        assert entries == ([self.seen.decision] if self.seen.decision else [])

    @invariant()
    def the_decision_is_in_the_language_that_is_known(self) -> None:
        if self.seen.decision is not None:
            assert self.seen.dialogue.language == self.seen.language

    @invariant()
    def a_call_is_let_go_once_and_never_both_recorded_and_let_go_without_a_refusal_of_the_start(self) -> None:
        released = [command for command in self.seen.commands if isinstance(command, ReleaseCall)]
        assert len(released) <= 1
        if released and StartRecording() in self.seen.commands:
            assert any(isinstance(event, RecordingRefused) for event in self.seen.seen)

    @invariant()
    def a_call_at_the_end_is_let_go_recorded_or_gone(self) -> None:
        if self.seen.dialogue.state is State.GONE:
            kinds = {type(command) for command in self.seen.commands}
            assert kinds & {ReleaseCall, StartRecording} or not self.seen.call_here
            assert self.seen.decision is not None
            assert self.seen.committed is not None

    @invariant()
    def every_committed_permission_of_a_finished_call_is_started_or_entered_as_not_started_once(self) -> None:
        unmade = [command for command in self.seen.commands if isinstance(command, EnterNotStarted)]
        assert len(unmade) <= 1
        assert not unmade or self.seen.allowed
        if self.seen.dialogue.state is State.GONE and self.seen.committed and self.seen.allowed:
            assert unmade or StartRecording() in self.seen.commands

    @invariant()
    def a_conversation_under_way_has_a_timer_that_ends_it(self) -> None:
        if self.seen.dialogue.state in ASKING:
            assert Timer.OVERALL in self.seen.timers

    @invariant()
    def silence_is_timed_only_while_nothing_plays(self) -> None:
        if Timer.FIRST_DIGIT in self.seen.timers:
            assert self.seen.dialogue.state in (State.LISTENING, State.AWAITING_LANGUAGE)
            assert not self.seen.parts

    @invariant()
    def timers_of_a_finished_conversation_are_cancelled(self) -> None:
        if self.seen.dialogue.state is State.DECIDING:
            assert self.seen.timers == {Timer.COMMIT}
        if self.seen.dialogue.state is State.READING_OUT:
            assert self.seen.timers == {Timer.OVERALL}
        if self.seen.dialogue.state in (State.STARTING, State.DEPARTED, State.GONE):
            assert not self.seen.timers

    @invariant()
    def the_caller_is_asked_a_bounded_number_of_times(self) -> None:
        script = self.seen.script
        prompts = sum(isinstance(command, PlayPrompt) for command in self.seen.commands)
        breaks = sum(isinstance(event, ConnectionRestored) for event in self.seen.seen)
        menus = script.attempts if script.menu else 0
        explained = 0 if script.takes_refusal else 1
        receipt = 1 if script.reads_receipt else 0
        assert prompts <= menus + script.attempts + script.repeats + explained + receipt + breaks
        assert self.seen.explanations <= explained * (1 + breaks)


class Disturbed(Undisturbed):
    """Events as they may really come, and as they should never come, at any time."""

    @initialize(script=scripts())
    def begin_without_a_call(self, script: Script) -> None:
        self.seen = Onlooker(script)

    @rule(
        event=st.sampled_from(
            [CallArrived("nl"), CallArrived(""), CallUnaskable("no announcement"), CallerObjected()]
        )
    )
    def arrive_at_any_time(self, event: Event) -> None:
        self.happen(event)

    @rule(digits=st.text("1239*#ABCD", min_size=5, max_size=40))
    def storm(self, digits: str) -> None:
        for digit in digits:
            self.happen(DigitReceived(digit))

    @precondition(lambda self: self.seen.timers)
    @rule(data=st.data())
    def run_out(self, data: st.DataObject) -> None:
        timer = data.draw(st.sampled_from(sorted(self.seen.timers)))
        self.happen(TimerFired(timer))

    @rule(timer=st.sampled_from(Timer))
    def fire_late(self, timer: Timer) -> None:
        self.happen(TimerFired(timer))

    @rule(event=LEAVING)
    def leave(self, event: Event) -> None:
        self.happen(event)

    @rule(
        event=st.sampled_from(
            [ConnectionLost(), ConnectionRestored(), ConnectionRestored(), ServiceStopping()]
        )
    )
    def disturb(self, event: Event) -> None:
        self.happen(event)

    @rule(play=st.integers(0, 3))
    def fail_to_play(self, play: int) -> None:
        self.happen(PlaybackFailed(play, "no such file"))

    @precondition(lambda self: self.seen.seen)
    @rule(data=st.data())
    def repeat_an_earlier_event(self, data: st.DataObject) -> None:
        """A duplicate, possibly much later."""
        event = data.draw(st.sampled_from(self.seen.seen))
        settled_already = self.seen.committed is not None or self.seen.decision is None
        if not isinstance(event, EntryCommitted | EntryFailed) or settled_already:
            self.happen(event)


TestUndisturbed = Undisturbed.TestCase
TestUndisturbed.settings = settings(max_examples=200, stateful_step_count=25)
TestDisturbed = Disturbed.TestCase
