"""Opt-in: what the caller is asked and what follows from each answer, written as playbooks."""

import pytest

from asterisk_consent.dialogue.commands import (
    AppendEntry,
    EnterNotStarted,
    PlayPrompt,
    ReleaseCall,
    StartRecording,
    StopPrompt,
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
from asterisk_consent.dialogue.machine import step
from asterisk_consent.dialogue.script import Script, State
from asterisk_consent.model import Mode, Outcome
from tests.dialogue.conversations import AGREE, INFORMED, QUESTIONED, REFUSE, REPEAT, WRONG, dialogue_after
from tests.dialogue.phrases import (
    BOTH,
    COMMIT,
    FIRST_DIGIT,
    NO_COMMIT,
    NO_FIRST_DIGIT,
    NO_OVERALL,
    OVERALL,
    SILENCE,
    TOO_LATE,
    decided,
    released,
)
from tests.dialogue.playbook import OPT_OUT, SCRIPT, Playbook


def asked() -> Playbook:
    return Playbook() >> CallArrived("nl") << OVERALL << PlayPrompt(1, BOTH, "nl")


def informed() -> Playbook:
    return asked() >> INFORMED


def listening() -> Playbook:
    return informed() >> QUESTIONED << FIRST_DIGIT


def agreed() -> Playbook:
    return decided(listening() >> AGREE, NO_FIRST_DIGIT, Outcome.GIVEN, digit="1")


def test_an_agreement_after_the_question_is_entered_and_only_then_recorded() -> None:
    playbook = agreed() >> EntryCommitted() << NO_COMMIT << StartRecording() >> CallLeft()

    assert playbook
    assert playbook.state is State.GONE


def test_an_agreement_during_the_question_counts() -> None:
    playbook = decided(informed() >> AGREE, StopPrompt(1), Outcome.GIVEN, digit="1")

    assert playbook >> EntryCommitted() << NO_COMMIT << StartRecording()


def test_an_agreement_before_the_information_was_played_out_does_not_count_and_the_question_is_asked() -> (
    None
):
    playbook = asked() >> AGREE >> AGREE >> INFORMED >> QUESTIONED << FIRST_DIGIT

    assert playbook
    assert playbook.state is State.LISTENING


def test_a_refusal_counts_at_any_moment() -> None:
    for playbook, stop in (
        (asked(), StopPrompt(1)),
        (informed(), StopPrompt(1)),
        (listening(), NO_FIRST_DIGIT),
    ):
        playbook = decided(playbook >> REFUSE, stop, Outcome.REFUSED, digit="2")
        assert released(playbook, Outcome.REFUSED)


def test_a_refusal_and_an_agreement_do_the_same_up_to_the_last_command() -> None:
    def kinds_after(road: list[Event], digit: DigitReceived) -> list[type]:
        _, deciding = step(dialogue_after((SCRIPT, road)), digit)
        _, settling = step(dialogue_after((SCRIPT, [*road, digit])), EntryCommitted())
        return [type(command) for command in deciding + settling]

    roads: list[list[Event]] = [[CallArrived("nl"), INFORMED], [CallArrived("nl"), INFORMED, QUESTIONED]]
    for road in roads:
        *agreeing, last_of_agreeing = kinds_after(road, AGREE)
        *refusing, last_of_refusing = kinds_after(road, REFUSE)
        assert agreeing == refusing
        assert (last_of_agreeing, last_of_refusing) == (StartRecording, ReleaseCall)


def test_a_wrong_digit_is_an_attempt_and_the_question_is_asked_again() -> None:
    again = listening() >> WRONG << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> PartPlayed(2, Part.QUESTION, True) << FIRST_DIGIT
    last = decided(again >> WRONG, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="digit 7 is none of the choices")

    assert released(last, Outcome.NO_CHOICE)


def test_a_wrong_digit_during_the_question_stops_it_first() -> None:
    assert informed() >> WRONG << StopPrompt(1) << PlayPrompt(2, (Part.QUESTION,), "nl")


def test_a_wrong_digit_during_the_information_changes_nothing() -> None:
    playbook = asked() >> WRONG >> REPEAT

    assert playbook
    assert playbook.state is State.INFORMING


def test_silence_is_an_attempt_and_never_an_agreement() -> None:
    again = listening() >> SILENCE << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> PartPlayed(2, Part.QUESTION, True) << FIRST_DIGIT
    last = decided(again >> SILENCE, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="no digit")

    assert released(last, Outcome.NO_CHOICE)


def test_the_overall_time_ends_the_asking_wherever_it_is() -> None:
    for playbook, stop in (
        (asked(), StopPrompt(1)),
        (informed(), StopPrompt(1)),
        (listening(), NO_FIRST_DIGIT),
    ):
        playbook = playbook >> TimerFired(Timer.OVERALL)
        assert released(
            decided(playbook, stop, Outcome.NO_CHOICE, reason="overall time-out"), Outcome.NO_CHOICE
        )


def test_a_repetition_plays_everything_again_as_often_as_the_policy_says() -> None:
    repeated = listening() >> REPEAT << NO_FIRST_DIGIT << PlayPrompt(2, BOTH, "nl")
    repeated = repeated >> PartPlayed(2, Part.INFORMATION, True) >> REPEAT

    assert repeated << StopPrompt(2) << PlayPrompt(3, (Part.QUESTION,), "nl")


def test_an_agreement_during_a_repetition_counts_since_the_information_was_heard() -> None:
    repeated = informed() >> REPEAT << StopPrompt(1) << PlayPrompt(2, BOTH, "nl")

    assert decided(repeated >> AGREE, StopPrompt(2), Outcome.GIVEN, digit="1")


def test_a_repetition_cut_short_ends_the_asking() -> None:
    repeated = informed() >> REPEAT << StopPrompt(1) << PlayPrompt(2, BOTH, "nl")
    repeated = repeated >> PartPlayed(2, Part.INFORMATION, False)

    assert decided(repeated, StopPrompt(2), Outcome.FAILED, reason="information not played in full")


def test_a_part_that_was_not_played_in_full_makes_an_agreement_impossible() -> None:
    for playbook, part in ((asked(), Part.INFORMATION), (informed(), Part.QUESTION)):
        playbook = playbook >> PartPlayed(1, part, False)
        playbook = decided(playbook, StopPrompt(1), Outcome.FAILED, reason=f"{part} not played in full")
        assert released(playbook >> AGREE, Outcome.FAILED)


def test_an_announcement_that_cannot_be_played_makes_an_agreement_impossible() -> None:
    for playbook in (asked(), informed()):
        playbook = playbook >> PlaybackFailed(1, "no such file")
        playbook = decided(playbook, StopPrompt(1), Outcome.FAILED, reason="no such file")
        assert released(playbook >> AGREE, Outcome.FAILED)


def test_what_is_reported_of_an_earlier_playback_means_nothing() -> None:
    again = listening() >> WRONG << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")

    assert again >> QUESTIONED >> PlaybackFailed(1, "stopped") >> SILENCE
    assert again.state is State.QUESTIONING


def test_a_call_that_may_not_be_asked_is_entered_and_let_go() -> None:
    playbook = Playbook() >> CallUnaskable("unknown policy") << NO_OVERALL << COMMIT
    playbook = playbook << AppendEntry(Outcome.FAILED, "", "unknown policy")

    assert released(playbook, Outcome.FAILED)


@pytest.mark.parametrize(("script", "outcome"), [(SCRIPT, Outcome.REFUSED), (OPT_OUT, Outcome.OBJECTED)])
def test_who_is_on_the_list_of_objections_is_neither_asked_nor_recorded(
    script: Script, outcome: Outcome
) -> None:
    playbook = Playbook(script) >> CallerObjected() << NO_OVERALL << COMMIT
    playbook = playbook << AppendEntry(outcome, "", "on the list of objections")

    assert released(playbook, outcome)


def test_nobody_has_decided_by_a_digit_that_the_policy_does_not_have() -> None:
    for mode in Mode:
        script = Script(mode=mode, attempts=2, first_digit_s=5.0, overall_s=90.0)
        playbook = (
            Playbook(script) >> CallArrived("nl") << OVERALL << PlayPrompt(1, script.announcement, "nl")
        )
        assert playbook >> DigitReceived("")
        assert playbook.state is State.INFORMING
        if mode is not Mode.NOTICE:
            playbook = playbook >> INFORMED >> DigitReceived("") << StopPrompt(1)
            assert playbook << PlayPrompt(2, (Part.QUESTION,), "nl")


def test_a_call_that_ends_while_it_is_asked_is_entered_as_what_happened() -> None:
    for event, outcome, reason in (
        (ChannelHungUp(), Outcome.ABANDONED, "hung up"),
        (CallLeft(), Outcome.FAILED, "left before an answer"),
        (CallLost(), Outcome.ABORTED, "lost with the connection to Asterisk"),
    ):
        for playbook in (Playbook(), asked(), informed(), listening()):
            gone = playbook >> event << NO_FIRST_DIGIT << NO_OVERALL << AppendEntry(outcome, "", reason)
            assert gone >> event >> EntryCommitted()
            assert gone.state is State.GONE


def test_a_call_found_waiting_after_a_break_is_asked_again_and_nothing_is_inferred() -> None:
    assert asked() >> ConnectionRestored() << StopPrompt(1) << PlayPrompt(2, BOTH, "nl")
    assert informed() >> ConnectionRestored() << StopPrompt(1) << PlayPrompt(2, (Part.QUESTION,), "nl")
    assert listening() >> ConnectionRestored() << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")


def test_a_break_during_a_repetition_begins_it_again() -> None:
    repeated = informed() >> REPEAT << StopPrompt(1) << PlayPrompt(2, BOTH, "nl")

    assert repeated >> ConnectionRestored() << StopPrompt(2) << PlayPrompt(3, BOTH, "nl")


def test_silence_during_a_break_is_no_attempt_since_no_digit_could_be_heard() -> None:
    cut_off = listening() >> ConnectionLost() >> SILENCE

    assert cut_off >> ConnectionRestored() << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = cut_off >> PartPlayed(2, Part.QUESTION, True) << FIRST_DIGIT
    assert again >> SILENCE << NO_FIRST_DIGIT << PlayPrompt(3, (Part.QUESTION,), "nl")


def test_a_break_without_an_end_is_ended_by_the_overall_time() -> None:
    cut_off = listening() >> ConnectionLost() >> SILENCE >> TimerFired(Timer.OVERALL)

    assert decided(cut_off, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="overall time-out")


def test_a_call_does_not_wait_for_a_service_that_is_being_stopped() -> None:
    for playbook, stop in ((asked(), StopPrompt(1)), (listening(), NO_FIRST_DIGIT)):
        playbook = playbook >> ServiceStopping()
        playbook = decided(playbook, stop, Outcome.FAILED, reason="the service was stopped")
        assert released(playbook, Outcome.FAILED)


def test_without_an_entry_there_is_no_recording() -> None:
    playbook = agreed() >> EntryFailed() << NO_COMMIT << ReleaseCall(Outcome.FAILED)

    assert playbook
    assert playbook.state is State.GONE


def test_a_caller_does_not_wait_longer_than_two_seconds_for_the_entry() -> None:
    playbook = agreed() >> TimerFired(Timer.COMMIT) << ReleaseCall(Outcome.FAILED) >> CallLeft()

    assert playbook >> EntryCommitted() << TOO_LATE


def test_a_late_entry_of_anything_but_an_agreement_needs_nothing() -> None:
    playbook = decided(asked() >> REFUSE, StopPrompt(1), Outcome.REFUSED, digit="2")

    assert playbook >> TimerFired(Timer.COMMIT) << ReleaseCall(Outcome.FAILED) >> EntryCommitted()


def test_a_late_failure_of_the_entry_needs_nothing() -> None:
    playbook = agreed() >> TimerFired(Timer.COMMIT) << ReleaseCall(Outcome.FAILED) >> EntryFailed()

    assert playbook
    assert playbook.state is State.GONE


def test_a_hang_up_between_the_digit_and_the_entry_leaves_no_recording_open() -> None:
    for event in (ChannelHungUp(), CallLeft(), CallLost()):
        assert agreed() >> event << NO_COMMIT >> EntryCommitted() << TOO_LATE


def test_a_start_that_asterisk_refuses_ends_the_recording_and_lets_the_call_go() -> None:
    started = agreed() >> EntryCommitted() << NO_COMMIT << StartRecording()
    refused = started >> RecordingRefused("the call had left")

    assert refused << EnterNotStarted("the call had left") << ReleaseCall(Outcome.FAILED)
    assert refused >> RecordingRefused("the call had left")


def test_a_call_that_still_waits_for_its_start_after_a_break_is_started_then() -> None:
    started = agreed() >> EntryCommitted() << NO_COMMIT << StartRecording()

    assert started >> ConnectionRestored() << StartRecording() >> CallLeft()


def test_digits_after_the_decision_change_nothing() -> None:
    playbook = agreed() >> REFUSE >> AGREE >> WRONG
    playbook = playbook >> EntryCommitted() << NO_COMMIT << StartRecording() >> REFUSE

    assert playbook
    assert playbook.dialogue.decided is Outcome.GIVEN
