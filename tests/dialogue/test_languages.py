"""The menu of languages: who chose none was not asked, and what is played is in the language that was chosen."""

import pytest

from asterisk_consent.dialogue.commands import AppendEntry, Command, PlayPrompt, StopPrompt
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
    ServiceStopping,
    Timer,
    TimerFired,
)
from asterisk_consent.dialogue.machine import NO_LANGUAGE
from asterisk_consent.dialogue.script import Script, State
from asterisk_consent.model import Outcome
from tests.dialogue.conversations import CHOICES, DUTCH, FRENCH, REFUSE, WRONG
from tests.dialogue.phrases import (
    COMMIT,
    FIRST_DIGIT,
    NO_FIRST_DIGIT,
    NO_OVERALL,
    OVERALL,
    SILENCE,
    decided,
    recorded,
    released,
)
from tests.dialogue.playbook import NOTICE, NOTICE_MENU, OPT_IN_MENU, OPT_OUT, SCRIPT, Playbook

IN_EVERY_MODE = pytest.mark.parametrize(
    "script", [OPT_IN_MENU, OPT_OUT, NOTICE_MENU], ids=lambda script: script.mode
)
MENU_AGAIN = PlayPrompt(2, (Part.MENU,), "")


def choosing(script: Script) -> Playbook:
    return Playbook(script) >> CallArrived("") << OVERALL << PlayPrompt(1, (Part.MENU,), "")


def awaiting(script: Script) -> Playbook:
    return choosing(script) >> CHOICES << FIRST_DIGIT


def in_the_menu(script: Script) -> list[tuple[Playbook, Command]]:
    """Both places in the menu, with what is stopped there."""
    return [(choosing(script), StopPrompt(1)), (awaiting(script), NO_FIRST_DIGIT)]


def all_played(playbook: Playbook, play: int, script: Script) -> Playbook:
    for part in script.announcement:
        playbook = playbook >> PartPlayed(play, part, True)
    return playbook


@IN_EVERY_MODE
def test_the_chosen_language_is_played_from_there_on(script: Script) -> None:
    for playbook, stop in in_the_menu(script):
        chosen = playbook >> FRENCH << stop << PlayPrompt(2, script.announcement, "fr")
        assert chosen
        assert chosen.dialogue.language == "fr"
        assert chosen >> ConnectionRestored() << StopPrompt(2) << PlayPrompt(3, script.announcement, "fr")


@IN_EVERY_MODE
def test_a_language_that_is_known_is_not_asked_for(script: Script) -> None:
    playbook = Playbook(script) >> CallArrived("nl") << OVERALL << PlayPrompt(1, script.announcement, "nl")

    assert playbook
    assert playbook.dialogue.language == "nl"


@pytest.mark.parametrize("script", [SCRIPT, NOTICE], ids=lambda script: script.mode)
def test_without_a_language_and_without_a_menu_there_is_no_choice(script: Script) -> None:
    playbook = decided(Playbook(script) >> CallArrived(""), None, Outcome.NO_CHOICE, reason=NO_LANGUAGE)

    assert released(playbook, Outcome.NO_CHOICE)


@IN_EVERY_MODE
def test_an_unknown_digit_or_silence_names_the_languages_again_and_then_there_is_no_choice(
    script: Script,
) -> None:
    for event in (WRONG, SILENCE):
        again = awaiting(script) >> event << NO_FIRST_DIGIT << MENU_AGAIN
        again = again >> PartPlayed(2, Part.MENU, True) << FIRST_DIGIT >> event
        last = decided(again, NO_FIRST_DIGIT, Outcome.NO_CHOICE, reason=NO_LANGUAGE)
        assert released(last, Outcome.NO_CHOICE)


@IN_EVERY_MODE
def test_an_unknown_digit_while_the_languages_are_named_begins_them_again(script: Script) -> None:
    again = choosing(script) >> WRONG << StopPrompt(1) << MENU_AGAIN >> CHOICES

    assert again
    assert again.state is State.CHOOSING
    assert decided(again >> WRONG, StopPrompt(2), Outcome.NO_CHOICE, reason=NO_LANGUAGE)


@IN_EVERY_MODE
def test_the_overall_time_in_the_menu_is_no_choice(script: Script) -> None:
    for playbook, stop in in_the_menu(script):
        playbook = playbook >> TimerFired(Timer.OVERALL)
        playbook = decided(playbook, stop, Outcome.NO_CHOICE, reason=NO_LANGUAGE)
        assert released(playbook, Outcome.NO_CHOICE)


def test_a_refusal_in_the_menu_counts_and_needs_no_language() -> None:
    for playbook, stop in in_the_menu(OPT_IN_MENU):
        playbook = decided(playbook >> REFUSE, stop, Outcome.REFUSED, digit="2")
        assert released(playbook, Outcome.REFUSED)
        assert playbook.dialogue.language == ""


def test_the_digit_of_a_language_is_no_agreement_and_no_agreement_comes_from_the_menu() -> None:
    chosen = awaiting(OPT_IN_MENU) >> DUTCH << NO_FIRST_DIGIT
    chosen = chosen << PlayPrompt(2, OPT_IN_MENU.announcement, "nl") >> DUTCH

    assert chosen
    assert chosen.state is State.INFORMING
    agreed = chosen >> PartPlayed(2, Part.INFORMATION, True) >> DUTCH
    assert recorded(decided(agreed, StopPrompt(2), Outcome.GIVEN, digit="1"))


def test_silence_to_an_objection_counts_in_the_language_that_was_chosen() -> None:
    chosen = awaiting(OPT_OUT) >> FRENCH << NO_FIRST_DIGIT << PlayPrompt(2, OPT_OUT.announcement, "fr")
    listening = all_played(chosen, 2, OPT_OUT) << FIRST_DIGIT

    assert recorded(decided(listening >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED))


def test_a_notice_is_given_in_the_language_that_was_chosen() -> None:
    chosen = awaiting(NOTICE_MENU) >> FRENCH << NO_FIRST_DIGIT << PlayPrompt(2, (Part.INFORMATION,), "fr")

    assert recorded(decided(all_played(chosen, 2, NOTICE_MENU), None, Outcome.INFORMED))


def test_an_attempt_at_the_menu_is_none_at_the_question_and_no_digit_against_being_informed() -> None:
    chosen = awaiting(OPT_OUT) >> WRONG << NO_FIRST_DIGIT << MENU_AGAIN >> FRENCH << StopPrompt(2)
    chosen = chosen << PlayPrompt(3, OPT_OUT.announcement, "fr")
    listening = all_played(chosen, 3, OPT_OUT) << FIRST_DIGIT
    assert recorded(decided(listening >> SILENCE, NO_FIRST_DIGIT, Outcome.INFORMED))

    chosen = awaiting(OPT_IN_MENU) >> WRONG << NO_FIRST_DIGIT << MENU_AGAIN >> FRENCH << StopPrompt(2)
    chosen = chosen << PlayPrompt(3, OPT_IN_MENU.announcement, "fr")
    listening = all_played(chosen, 3, OPT_IN_MENU) << FIRST_DIGIT
    assert listening >> WRONG << NO_FIRST_DIGIT << PlayPrompt(4, (Part.QUESTION,), "fr")


@IN_EVERY_MODE
def test_after_a_break_in_the_menu_the_languages_are_named_again(script: Script) -> None:
    for playbook, stop in in_the_menu(script):
        broken = playbook >> ConnectionLost() >> SILENCE >> ConnectionRestored() << stop << MENU_AGAIN
        assert broken >> WRONG << StopPrompt(2) << PlayPrompt(3, (Part.MENU,), "")


@IN_EVERY_MODE
def test_a_menu_that_was_not_played_in_full_lets_the_call_go(script: Script) -> None:
    causes: list[tuple[Event, str]] = [
        (PartPlayed(1, Part.MENU, False), "menu not played in full"),
        (PlaybackFailed(1, "no such file"), "no such file"),
        (ServiceStopping(), "the service was stopped"),
    ]
    for event, reason in causes:
        playbook = decided(choosing(script) >> event, StopPrompt(1), Outcome.FAILED, reason=reason)
        assert released(playbook, Outcome.FAILED)


@IN_EVERY_MODE
def test_a_call_that_ends_in_the_menu_is_entered_as_what_happened(script: Script) -> None:
    for event, outcome, reason in (
        (ChannelHungUp(), Outcome.ABANDONED, "hung up"),
        (CallLeft(), Outcome.FAILED, "left before an answer"),
        (CallLost(), Outcome.ABORTED, "lost with the connection to Asterisk"),
    ):
        for playbook, _ in in_the_menu(script):
            gone = playbook >> event << NO_FIRST_DIGIT << NO_OVERALL << AppendEntry(outcome, "", reason)
            assert gone >> EntryCommitted()


@IN_EVERY_MODE
def test_digits_after_no_language_was_chosen_change_nothing(script: Script) -> None:
    again = choosing(script) >> WRONG << StopPrompt(1) << MENU_AGAIN
    last = again >> DigitReceived("#") << StopPrompt(2) << NO_OVERALL << COMMIT

    last = last << AppendEntry(Outcome.NO_CHOICE, "", NO_LANGUAGE) >> DUTCH >> SILENCE
    assert released(last, Outcome.NO_CHOICE)
