"""A receipt is read out between the entry and the recording; whatever happens meanwhile, the call goes on."""

import pytest

from asterisk_consent.dialogue.commands import (
    CancelTimer,
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
    ChannelHungUp,
    ConnectionLost,
    ConnectionRestored,
    DigitReceived,
    EntryCommitted,
    Event,
    Part,
    PartPlayed,
    PlaybackFailed,
    RecordingRefused,
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.reading_out import RECEIPT_TIMEOUT_S
from asterisk_consent.dialogue.script import State
from asterisk_consent.model import Outcome
from tests.dialogue.conversations import AGREE, INFORMED, REFUSE
from tests.dialogue.phrases import BOTH, NO_COMMIT, NO_OVERALL, OVERALL, decided, released
from tests.dialogue.playbook import RECEIPT, Playbook

READING = SetTimer(Timer.OVERALL, RECEIPT_TIMEOUT_S)


def reading() -> Playbook:
    """The agreement is on disk."""
    asked = Playbook(RECEIPT) >> CallArrived("nl") << OVERALL << PlayPrompt(1, BOTH, "nl") >> INFORMED
    agreed = decided(asked >> AGREE, StopPrompt(1), Outcome.GIVEN, digit="1")
    return agreed >> EntryCommitted() << NO_COMMIT << READING << PlayPrompt(2, (Part.RECEIPT,), "nl")


@pytest.mark.parametrize(
    "event",
    [
        PartPlayed(2, Part.RECEIPT, True),
        PartPlayed(2, Part.RECEIPT, False),
        PlaybackFailed(2, "no such file"),
    ],
    ids=repr,
)
def test_the_call_goes_on_to_be_recorded_once_it_was_read_or_cannot_be(event: Event) -> None:
    assert reading() >> event << NO_OVERALL << StartRecording()


@pytest.mark.parametrize(
    "event",
    [
        DigitReceived("2"),
        DigitReceived("#"),
        TimerFired(Timer.OVERALL),
        ServiceStopping(),
        ConnectionRestored(),
    ],
    ids=repr,
)
def test_a_digit_and_whatever_would_hold_the_call_ends_the_reading(event: Event) -> None:
    assert reading() >> event << StopPrompt(2) << NO_OVERALL << StartRecording()


def test_a_digit_that_refuses_is_too_late_to_refuse_and_only_skips() -> None:
    assert reading() >> REFUSE << StopPrompt(2) << NO_OVERALL << StartRecording()


@pytest.mark.parametrize("event", [ChannelHungUp(), CallLeft(), CallLost()], ids=repr)
def test_who_goes_meanwhile_is_not_recorded_and_that_is_entered(event: Event) -> None:
    unmade = EnterNotStarted("the call had gone before it was put through")
    playbook = reading() >> event << CancelTimer(Timer.OVERALL) << unmade

    assert playbook
    assert playbook.state is State.GONE


@pytest.mark.parametrize(
    "event",
    [ConnectionLost(), PartPlayed(1, Part.QUESTION, True), TimerFired(Timer.FIRST_DIGIT)],
    ids=repr,
)
def test_what_is_about_something_else_changes_nothing(event: Event) -> None:
    assert reading() >> event


def test_a_start_that_is_refused_afterwards_lets_the_call_go() -> None:
    playbook = reading() >> DigitReceived("5") << StopPrompt(2) << NO_OVERALL << StartRecording()

    assert playbook >> RecordingRefused("gone") << EnterNotStarted("gone") << ReleaseCall(Outcome.FAILED)


def test_who_refuses_is_read_nothing() -> None:
    asked = Playbook(RECEIPT) >> CallArrived("nl") << OVERALL << PlayPrompt(1, BOTH, "nl")

    assert released(decided(asked >> REFUSE, StopPrompt(1), Outcome.REFUSED, digit="2"), Outcome.REFUSED)
