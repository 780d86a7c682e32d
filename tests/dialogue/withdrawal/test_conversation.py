"""The withdrawal line: what a caller hears and what follows from each answer, written as playbooks."""

from collections.abc import Callable

import pytest

from asterisk_consent.dialogue.commands import StopPrompt
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
from asterisk_consent.dialogue.withdrawal.commands import EndCall, FindRecording, SayWords, WithdrawRecording
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
from asterisk_consent.dialogue.withdrawal.script import Result, Saying, SpokenDigit, State, Word
from asterisk_consent.model import Done, Effect, KeptBecause
from tests.dialogue.withdrawal.playbook import (
    ACT,
    AGAIN,
    END,
    FIRST,
    GREET_KNOWN,
    KNOWN,
    LATER,
    MENU,
    NEXT,
    NO,
    NO_ACT,
    NO_FIRST,
    NO_NEXT,
    NO_OVERALL,
    OTHER,
    OVER_LIMIT,
    OVERALL,
    PAUSED,
    SILENCE,
    UNCHANGED,
    WITHHELD,
    YES,
    Line,
    asked,
    entered,
    listening,
    said,
    to_confirm,
)

ERASED = Done(effect=Effect.ERASED, reference="12345678")
REFERENCE: tuple[Word, ...] = tuple(
    SpokenDigit(each) for each in ("1", "2", "3", "4", "pause", "5", "6", "7", "8")
)


def finding(digits: str = "4711") -> Line:
    """The caller has confirmed."""
    line = to_confirm(digits) >> YES << NO_FIRST << NO_NEXT << NO_OVERALL << ACT
    return line << FindRecording(digits)


def withdrawing() -> Line:
    """What was confirmed is being done."""
    return finding() >> RecordingFound() << WithdrawRecording()


def test_a_caller_withdraws_and_hears_what_was_done_and_the_reference_twice() -> None:
    line = withdrawing() >> RecordingWithdrawn(ERASED)

    words = (Saying.ERASED, Saying.REFERENCE, *REFERENCE, Saying.REFERENCE_AGAIN, *REFERENCE, Saying.GOODBYE)
    assert line.closes(3, *words) >> said(3) << EndCall(Result.ERASED)
    assert line.state is State.GONE


@pytest.mark.parametrize(
    ("done", "saying", "result"),
    [
        (
            Done(effect=Effect.KEPT, because=KeptBecause.LEGAL_OBLIGATION, reference="12345678"),
            Saying.KEPT_BY_LAW,
            Result.KEPT,
        ),
        (
            Done(effect=Effect.KEPT, because=KeptBecause.LEGAL_HOLD, reference="12345678"),
            Saying.KEPT_ON_HOLD,
            Result.KEPT,
        ),
        (Done(effect=Effect.PENDING, reference="12345678"), Saying.PENDING, Result.PENDING),
    ],
)
def test_what_is_kept_or_not_done_yet_is_said_for_what_it_is(
    done: Done, saying: Saying, result: Result
) -> None:
    line = withdrawing() >> RecordingWithdrawn(done)

    words: tuple[Word, ...] = (
        saying,
        Saying.REFERENCE,
        *REFERENCE,
        Saying.REFERENCE_AGAIN,
        *REFERENCE,
        Saying.GOODBYE,
    )
    assert line.closes(3, *words) >> said(3) << EndCall(result)


def test_whoever_shows_a_number_is_asked_for_the_last_digits_or_all_and_others_for_all() -> None:
    assert asked(KNOWN).dialogue.words == (Saying.GREETING, Saying.ASK_LAST)
    assert asked(WITHHELD).dialogue.words == (Saying.GREETING, Saying.ASK_WHOLE)


def test_all_twelve_digits_need_no_end() -> None:
    line = listening(WITHHELD).press("12345678901") >> DigitReceived("2")

    assert line << NO_FIRST << NO_NEXT << SayWords(2, (Saying.CONFIRM,), "nl")
    assert line.dialogue.digits == "123456789012"


def test_the_last_digits_are_all_after_a_pause_too() -> None:
    line = listening().press("4711") >> PAUSED

    assert line << NO_FIRST << NO_NEXT << SayWords(2, (Saying.CONFIRM,), "nl")


@pytest.mark.parametrize(("reached", "digits"), [(WITHHELD, "4711"), (KNOWN, "471"), (KNOWN, "47114")])
@pytest.mark.parametrize("ending", [END, PAUSED])
def test_what_cannot_be_a_receipt_is_asked_for_again(
    reached: LineReached, digits: str, ending: LineEvent
) -> None:
    line = listening(reached).press(digits) >> ending

    ask = Saying.ASK_LAST if line.dialogue.knows_number else Saying.ASK_WHOLE
    assert line << NO_FIRST << NO_NEXT << SayWords(2, (Saying.UNCLEAR, ask), "nl")


def test_a_digit_interrupts_the_question_for_the_receipt() -> None:
    line = asked() >> DigitReceived("4") << StopPrompt(1) << NEXT

    assert line.state is State.ENTERING
    assert line.dialogue.digits == "4"


def test_one_digit_starts_the_entry_over() -> None:
    line = listening().press("471") >> AGAIN << NO_FIRST << NO_NEXT << SayWords(2, (Saying.ASK_LAST,), "nl")

    assert line.dialogue.digits == ""


def test_confirming_counts_only_once_the_question_was_played() -> None:
    line = entered() >> YES

    assert line.state is State.CONFIRMING
    assert line >> said(2) << FIRST
    assert line >> YES << NO_FIRST << NO_NEXT << NO_OVERALL << ACT << FindRecording("4711")


def test_declining_works_at_any_moment_and_changes_nothing() -> None:
    assert (entered() >> NO).closes(3, *UNCHANGED, stops=2) >> said(3) << EndCall(Result.UNCHANGED)
    later = to_confirm() >> NO << NO_FIRST << NO_NEXT
    assert later.closes(3, *UNCHANGED) >> said(3) << EndCall(Result.UNCHANGED)


def test_starting_over_works_where_it_is_to_be_confirmed_too() -> None:
    assert entered() >> AGAIN << StopPrompt(2) << SayWords(3, (Saying.ASK_LAST,), "nl")
    assert to_confirm() >> AGAIN << NO_FIRST << NO_NEXT << SayWords(3, (Saying.ASK_LAST,), "nl")


def test_another_digit_is_no_confirmation_and_is_asked_about_again() -> None:
    line = to_confirm() >> OTHER << NO_FIRST << NO_NEXT << SayWords(3, (Saying.CONFIRM,), "nl")

    assert line.dialogue.digits == "4711"


def test_silence_is_asked_about_once_and_changes_nothing() -> None:
    line = listening() >> SILENCE << NO_FIRST << NO_NEXT << SayWords(2, (Saying.ASK_LAST,), "nl")
    line = line >> said(2) << FIRST >> SILENCE << NO_FIRST << NO_NEXT

    assert line.closes(3, *UNCHANGED)


def test_silence_where_it_is_to_be_confirmed_changes_nothing() -> None:
    line = to_confirm() >> SILENCE << NO_FIRST << NO_NEXT << SayWords(3, (Saying.CONFIRM,), "nl")
    line = line >> said(3) << FIRST >> SILENCE << NO_FIRST << NO_NEXT

    assert line.closes(4, *UNCHANGED)


def test_a_receipt_that_is_not_found_may_be_tried_three_times() -> None:
    line, play = finding(), 2
    for _ in range(2):
        line = line >> NothingFound() << NO_ACT << OVERALL
        line = (
            line << SayWords(play + 1, (Saying.NOT_FOUND, Saying.ASK_LAST), "nl") >> said(play + 1) << FIRST
        )
        line = line.press("4712") >> END << NO_FIRST << NO_NEXT << SayWords(play + 2, (Saying.CONFIRM,), "nl")
        line = line >> said(play + 2) << FIRST >> YES << NO_FIRST << NO_NEXT << NO_OVERALL << ACT
        line, play = line << FindRecording("4712"), play + 2

    line = line >> NothingFound()
    assert line.closes(play + 1, Saying.NOT_FOUND, Saying.GOODBYE)
    assert line >> said(play + 1) << EndCall(Result.NOT_FOUND)


@pytest.mark.parametrize(
    "event",
    [TooManyAttempts(), WithdrawalFailed(), TimerFired(Timer.COMMIT)],
    ids=lambda each: type(each).__name__,
)
def test_what_is_over_the_limit_failed_or_took_too_long_sounds_the_same(event: LineEvent) -> None:
    assert (finding() >> event).closes(3, *LATER)


@pytest.mark.parametrize("event", [WithdrawalFailed(), TimerFired(Timer.COMMIT)], ids=repr)
def test_a_fault_sounds_the_same_whether_or_not_there_is_a_recording(event: LineEvent) -> None:
    assert (withdrawing() >> event).closes(3, *LATER)


def test_a_caller_over_the_limit_is_told_at_once_to_try_later() -> None:
    line = Line() >> OVER_LIMIT

    assert line.closes(1, *LATER) >> said(1) << EndCall(Result.LIMITED)


def test_what_is_found_after_the_caller_was_told_to_try_later_is_not_withdrawn() -> None:
    line = (finding() >> TimerFired(Timer.COMMIT)).closes(3, *LATER)

    assert line >> RecordingFound()


@pytest.mark.parametrize("event", [ChannelHungUp(), CallLeft(), CallLost()], ids=repr)
@pytest.mark.parametrize("there", [asked, listening, entered, to_confirm])
def test_who_goes_before_the_confirmation_changes_nothing(
    there: Callable[[], Line], event: LineEvent
) -> None:
    line = there() >> event

    assert line
    assert line.state is State.GONE


def test_who_hangs_up_after_confirming_has_withdrawn() -> None:
    line = finding() >> ChannelHungUp() >> RecordingFound() << WithdrawRecording()
    assert line.dialogue.state is State.DEPARTED

    assert line >> RecordingWithdrawn(ERASED)
    assert line.state is State.GONE


def test_who_hangs_up_while_it_is_done_hears_nothing_more() -> None:
    line = withdrawing() >> ChannelHungUp() >> RecordingWithdrawn(ERASED)

    assert line
    assert line.state is State.GONE


def test_a_call_that_is_gone_waits_for_nothing_longer_than_its_limit() -> None:
    line = withdrawing() >> ChannelHungUp() >> TimerFired(Timer.COMMIT)

    assert line
    assert line.state is State.GONE


def test_several_languages_are_named_and_the_rest_is_in_the_one_chosen() -> None:
    line = Line(MENU) >> KNOWN << OVERALL << SayWords(1, (Saying.MENU,), "")

    assert line >> DigitReceived("2") << StopPrompt(1) << SayWords(2, GREET_KNOWN, "fr")


def test_who_chooses_no_language_is_served_in_the_first() -> None:
    line = Line(MENU) >> KNOWN << OVERALL << SayWords(1, (Saying.MENU,), "") >> said(1) << FIRST
    line = line >> SILENCE << NO_FIRST << NO_NEXT << SayWords(2, (Saying.MENU,), "") >> OTHER

    assert line << StopPrompt(2) << SayWords(3, GREET_KNOWN, "nl")


def test_a_break_before_the_confirmation_has_the_last_thing_asked_again() -> None:
    line = listening().press("47") >> ConnectionLost() >> PAUSED >> ConnectionRestored()
    assert line << NO_FIRST << NO_NEXT << SayWords(2, (Saying.ASK_LAST,), "nl")
    assert line.dialogue.digits == ""

    confirming = to_confirm() >> ConnectionLost() >> SILENCE >> ConnectionRestored()
    assert confirming << NO_FIRST << NO_NEXT << SayWords(3, (Saying.CONFIRM,), "nl")


def test_a_break_during_the_last_words_has_them_said_again() -> None:
    line = (entered() >> NO).closes(3, *UNCHANGED, stops=2) >> ConnectionLost() >> ConnectionRestored()

    assert line << StopPrompt(3) << SayWords(4, UNCHANGED, "nl") >> said(4) << EndCall(Result.UNCHANGED)


def test_a_question_that_was_cut_off_gives_the_call_back() -> None:
    assert entered() >> PartPlayed(2, Saying.CONFIRM, False) << EndCall(Result.FAILED)
    assert asked() >> PlaybackFailed(1, "no such file") << EndCall(Result.FAILED)


def test_last_words_that_cannot_be_played_end_the_call_as_it_ended() -> None:
    line = (entered() >> NO).closes(3, *UNCHANGED, stops=2)

    assert line >> PlaybackFailed(3, "no such file") << EndCall(Result.UNCHANGED)


def test_a_line_that_cannot_speak_gives_the_call_back() -> None:
    assert Line() >> LineSilent() << EndCall(Result.FAILED)


def test_the_end_of_the_time_changes_nothing() -> None:
    line = to_confirm() >> TimerFired(Timer.OVERALL) << NO_FIRST << NO_NEXT
    assert (
        line.closes(3, *UNCHANGED) >> TimerFired(Timer.OVERALL) << StopPrompt(3) << EndCall(Result.UNCHANGED)
    )


def test_a_service_that_stops_lets_the_call_go_and_finishes_what_was_confirmed() -> None:
    assert asked() >> ServiceStopping() << StopPrompt(1) << EndCall(Result.FAILED)
    line = withdrawing() >> ServiceStopping() << EndCall(Result.FAILED)
    assert line.dialogue.state is State.DEPARTED
    assert line >> RecordingWithdrawn(ERASED)
    assert line.state is State.GONE
