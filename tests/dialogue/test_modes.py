"""Opt-out, notice, and the recording that the law demands: what silence, a digit and a cut mean in each."""

from asterisk_consent.dialogue.commands import (
    AppendEntry,
    Command,
    EnterNotStarted,
    PlayPrompt,
    ReleaseCall,
    StopPrompt,
)
from asterisk_consent.dialogue.events import (
    CallArrived,
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
    PlaybackFailed,
    RecordingRefused,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.script import Script, State
from asterisk_consent.model import Outcome
from tests.dialogue.conversations import CHOICES, INFORMED, OBJECT, QUESTIONED, WRONG
from tests.dialogue.phrases import (
    BOTH,
    FIRST_DIGIT,
    NO_COMMIT,
    NO_FIRST_DIGIT,
    NO_OVERALL,
    OVERALL,
    SILENCE,
    TOO_LATE,
    decided,
    recorded,
    released,
)
from tests.dialogue.playbook import NOTICE, NOTICE_DEMANDED, OPT_OUT, OPT_OUT_DEMANDED, Playbook

AGAIN = DigitReceived("0")
ASKED_AGAIN = PartPlayed(2, Part.QUESTION, True)
EXPLAINED = (Part.NO_REFUSAL, Part.INFORMATION)


def asked(script: Script = OPT_OUT) -> Playbook:
    return Playbook(script) >> CallArrived("nl") << OVERALL << PlayPrompt(1, BOTH, "nl")


def listening(script: Script = OPT_OUT) -> Playbook:
    return asked(script) >> INFORMED >> QUESTIONED << FIRST_DIGIT


def noticed(script: Script = NOTICE) -> Playbook:
    return Playbook(script) >> CallArrived("nl") << OVERALL << PlayPrompt(1, (Part.INFORMATION,), "nl")


def menu(script: Script = OPT_OUT) -> Playbook:
    return Playbook(script) >> CallArrived("") << OVERALL << PlayPrompt(1, (Part.MENU,), "")


def explained(playbook: Playbook) -> Playbook:
    return playbook >> OBJECT << StopPrompt(1) << PlayPrompt(2, EXPLAINED, "nl")


def anywhere_in_opt_out() -> list[tuple[Playbook, Command]]:
    """Every place before the decision, with what is stopped there."""
    again = listening() >> WRONG << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    return [
        (menu(), StopPrompt(1)),
        (menu() >> CHOICES << FIRST_DIGIT, NO_FIRST_DIGIT),
        (asked(), StopPrompt(1)),
        (asked() >> WRONG, StopPrompt(1)),
        (asked() >> INFORMED, StopPrompt(1)),
        (listening(), NO_FIRST_DIGIT),
        (again, StopPrompt(2)),
        (listening() >> ConnectionLost(), NO_FIRST_DIGIT),
    ]


def test_silence_after_everything_was_played_is_no_objection_and_recorded_once_entered() -> None:
    playbook = recorded(decided(listening() >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED)) >> CallLeft()

    assert playbook
    assert playbook.state is State.GONE


def test_an_objection_counts_at_any_moment_in_the_menu_of_languages_too() -> None:
    for playbook, stop in anywhere_in_opt_out():
        playbook = decided(playbook >> OBJECT, stop, Outcome.OBJECTED, digit="9")
        assert released(playbook, Outcome.OBJECTED)


def test_an_objection_does_the_same_as_silence_up_to_the_last_command() -> None:
    silent = decided(listening() >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED)
    objecting = decided(listening() >> OBJECT, NO_FIRST_DIGIT, Outcome.OBJECTED, digit="9")

    assert recorded(silent)
    assert released(objecting, Outcome.OBJECTED)


def test_a_digit_that_means_nothing_is_asked_about_and_silence_after_it_is_no_choice() -> None:
    again = listening() >> WRONG << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> ASKED_AGAIN << FIRST_DIGIT >> SILENCE

    assert released(decided(again, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="no digit"), Outcome.NO_CHOICE)


def test_a_second_digit_that_means_nothing_is_no_choice() -> None:
    again = asked() >> INFORMED >> WRONG << StopPrompt(1) << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> ASKED_AGAIN << FIRST_DIGIT >> WRONG

    assert decided(again, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="digit 7 is none of the choices")


def test_a_wrong_digit_during_the_information_is_no_silence_either() -> None:
    playbook = asked() >> WRONG >> INFORMED >> QUESTIONED << FIRST_DIGIT
    again = playbook >> SILENCE << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> ASKED_AGAIN << FIRST_DIGIT >> SILENCE

    assert decided(again, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="no digit")


def test_a_digit_to_agree_means_nothing_where_nobody_is_asked_to() -> None:
    script = Script(
        mode=OPT_OUT.mode, agree_digit="1", refuse_digit="9", attempts=1, first_digit_s=5.0, overall_s=90.0
    )
    playbook = listening(script) >> DigitReceived("1")

    assert decided(playbook, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason="digit 1 is none of the choices")


def test_silence_after_a_repetition_was_played_out_is_no_objection() -> None:
    repeated = listening() >> AGAIN << NO_FIRST_DIGIT << PlayPrompt(2, BOTH, "nl") >> AGAIN
    repeated = repeated >> PartPlayed(2, Part.INFORMATION, True) >> ASKED_AGAIN << FIRST_DIGIT

    assert recorded(decided(repeated >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED))


def test_a_repetition_does_not_make_a_wrong_digit_good() -> None:
    repeated = asked() >> WRONG >> INFORMED >> AGAIN << StopPrompt(1) << PlayPrompt(2, BOTH, "nl")
    repeated = repeated >> PartPlayed(2, Part.INFORMATION, True) >> ASKED_AGAIN << FIRST_DIGIT

    assert repeated >> SILENCE << NO_FIRST_DIGIT << PlayPrompt(3, (Part.QUESTION,), "nl")


def test_a_half_played_announcement_is_none() -> None:
    for playbook, part in ((asked(), Part.INFORMATION), (asked() >> INFORMED, Part.QUESTION)):
        playbook = playbook >> PartPlayed(1, part, False)
        playbook = decided(playbook, StopPrompt(1), Outcome.FAILED, reason=f"{part} not played in full")
        assert released(playbook >> SILENCE, Outcome.FAILED)


def test_a_repetition_cut_short_is_no_announcement_though_it_was_heard_before() -> None:
    repeated = listening() >> AGAIN << NO_FIRST_DIGIT << PlayPrompt(2, BOTH, "nl")
    repeated = repeated >> PartPlayed(2, Part.INFORMATION, False)

    assert decided(repeated, StopPrompt(2), Outcome.FAILED, reason="information not played in full")


def test_the_overall_time_is_no_choice_and_never_silence() -> None:
    for playbook, stop in (
        (asked(), StopPrompt(1)),
        (asked() >> INFORMED, StopPrompt(1)),
        (listening(), NO_FIRST_DIGIT),
    ):
        playbook = playbook >> TimerFired(Timer.OVERALL)
        playbook = decided(playbook, stop, Outcome.NO_CHOICE, reason="overall time-out")
        assert released(playbook, Outcome.NO_CHOICE)


def test_silence_that_nobody_could_break_is_no_silence() -> None:
    cut_off = listening() >> ConnectionLost() >> SILENCE
    again = cut_off >> ConnectionRestored() << NO_FIRST_DIGIT << PlayPrompt(2, (Part.QUESTION,), "nl")
    again = again >> ASKED_AGAIN << FIRST_DIGIT

    assert recorded(decided(again >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED))


def test_after_a_break_in_a_repetition_silence_counts_only_once_all_of_it_was_played() -> None:
    broken = listening() >> AGAIN << NO_FIRST_DIGIT << PlayPrompt(2, BOTH, "nl") >> ConnectionLost()

    assert broken >> ConnectionRestored() << StopPrompt(2) << PlayPrompt(3, BOTH, "nl")


def test_a_notice_is_given_as_soon_as_it_was_played_out_and_nothing_plays_any_more() -> None:
    playbook = recorded(decided(noticed() >> INFORMED, None, Outcome.INFORMED)) >> CallLeft()

    assert playbook
    assert playbook.state is State.GONE


def test_digits_mean_nothing_during_a_notice() -> None:
    playbook = noticed()
    for digit in "0123456789*#ABCD":
        playbook = playbook >> DigitReceived(digit)

    assert recorded(decided(playbook >> INFORMED, None, Outcome.INFORMED))


def test_a_notice_that_was_cut_or_could_not_be_played_is_none() -> None:
    causes: list[tuple[Event, str]] = [
        (PartPlayed(1, Part.INFORMATION, False), "information not played in full"),
        (PlaybackFailed(1, "no such file"), "no such file"),
        (ServiceStopping(), "the service was stopped"),
    ]
    for event, reason in causes:
        playbook = decided(noticed() >> event, StopPrompt(1), Outcome.FAILED, reason=reason)
        assert released(playbook >> INFORMED, Outcome.FAILED)


def test_who_hangs_up_during_a_notice_is_not_informed() -> None:
    for event, outcome, reason in (
        (ChannelHungUp(), Outcome.ABANDONED, "hung up"),
        (CallLeft(), Outcome.FAILED, "left before an answer"),
        (CallLost(), Outcome.ABORTED, "lost with the connection to Asterisk"),
    ):
        gone = noticed() >> event << NO_FIRST_DIGIT << NO_OVERALL << AppendEntry(outcome, "", reason)
        assert gone >> INFORMED >> EntryCommitted()


def test_a_notice_that_does_not_end_is_no_choice() -> None:
    playbook = noticed() >> TimerFired(Timer.OVERALL)

    assert decided(playbook, StopPrompt(1), Outcome.NO_CHOICE, reason="overall time-out")


def test_a_notice_broken_off_is_begun_again() -> None:
    broken = noticed() >> ConnectionLost() >> ConnectionRestored() << StopPrompt(1)
    broken = broken << PlayPrompt(2, (Part.INFORMATION,), "nl") >> INFORMED

    assert decided(broken >> PartPlayed(2, Part.INFORMATION, True), None, Outcome.INFORMED)


def test_what_was_not_objected_to_is_recorded_only_after_its_entry() -> None:
    for informed in (
        decided(listening() >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED),
        decided(noticed() >> INFORMED, None, Outcome.INFORMED),
    ):
        late = informed >> TimerFired(Timer.COMMIT) << ReleaseCall(Outcome.FAILED)
        assert late >> EntryCommitted() << TOO_LATE


def test_a_notice_without_an_entry_is_not_recorded() -> None:
    playbook = decided(noticed() >> INFORMED, None, Outcome.INFORMED)

    assert playbook >> EntryFailed() << NO_COMMIT << ReleaseCall(Outcome.FAILED)


def test_a_notice_whose_caller_hangs_up_before_the_entry_is_not_recorded() -> None:
    playbook = decided(noticed() >> INFORMED, None, Outcome.INFORMED)

    assert playbook >> ChannelHungUp() << NO_COMMIT >> EntryCommitted() << TOO_LATE


def test_a_notice_whose_recording_asterisk_refuses_ends_it_and_lets_the_call_go() -> None:
    playbook = recorded(decided(noticed() >> INFORMED, None, Outcome.INFORMED))
    playbook = playbook >> RecordingRefused("the call had left")

    assert playbook << EnterNotStarted("the call had left") << ReleaseCall(Outcome.FAILED)


def test_a_refusal_where_the_law_demands_the_recording_is_answered_and_everything_begins_again() -> None:
    playbook = explained(noticed(NOTICE_DEMANDED)) >> INFORMED >> PartPlayed(2, Part.NO_REFUSAL, True)

    assert playbook
    assert playbook.state is State.INFORMING
    assert recorded(decided(playbook >> PartPlayed(2, Part.INFORMATION, True), None, Outcome.INFORMED))


def test_a_second_refusal_where_the_law_demands_the_recording_does_nothing() -> None:
    playbook = explained(noticed(NOTICE_DEMANDED)) >> OBJECT >> PartPlayed(2, Part.NO_REFUSAL, True)
    playbook = playbook >> OBJECT >> PartPlayed(2, Part.INFORMATION, True)

    assert recorded(decided(playbook, None, Outcome.INFORMED) >> OBJECT)


def test_an_answer_to_a_refusal_that_was_cut_is_a_failure() -> None:
    playbook = explained(noticed(NOTICE_DEMANDED)) >> PartPlayed(2, Part.NO_REFUSAL, False)

    assert decided(playbook, StopPrompt(2), Outcome.FAILED, reason="no_refusal not played in full")


def test_an_answer_to_a_refusal_that_was_broken_off_is_given_again() -> None:
    playbook = explained(noticed(NOTICE_DEMANDED)) >> ConnectionLost() >> ConnectionRestored()
    playbook = playbook << StopPrompt(2) << PlayPrompt(3, EXPLAINED, "nl") >> OBJECT
    playbook = playbook >> PartPlayed(3, Part.NO_REFUSAL, True) >> ConnectionRestored() << StopPrompt(3)

    assert playbook << PlayPrompt(4, (Part.INFORMATION,), "nl")


def test_a_refusal_that_has_no_effect_is_not_answered_in_the_middle_of_a_menu() -> None:
    playbook = menu(NOTICE_DEMANDED) >> OBJECT << StopPrompt(1) << PlayPrompt(2, (Part.MENU,), "")
    chosen = playbook >> DigitReceived("3") << StopPrompt(2) << PlayPrompt(3, (Part.INFORMATION,), "fr")

    assert chosen >> OBJECT << StopPrompt(3) << PlayPrompt(4, EXPLAINED, "fr")


def test_a_refusal_that_has_no_effect_begins_the_question_again_too() -> None:
    playbook = listening(OPT_OUT_DEMANDED) >> OBJECT << NO_FIRST_DIGIT
    playbook = playbook << PlayPrompt(2, (Part.NO_REFUSAL, *BOTH), "nl")
    for part in (Part.NO_REFUSAL, *BOTH):
        playbook = playbook >> PartPlayed(2, part, True)
    playbook = playbook << FIRST_DIGIT >> OBJECT

    assert decided(playbook >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED)
